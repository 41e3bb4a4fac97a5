/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the DHCP server has handed out: dnsmasq's lease file, read and never written. */
#pragma once

#include "address.h"
#include "ipv6.h"

enum { LEASE_BYTES_MAX = 16 << 20, LEASE_WORDS = 5 };

struct lease {
	int64_t expiry;               /* seconds since the epoch; 0: never */
	struct network_identity identity; /* "" and "" in a lease of IPv6, whose file says nothing of the MAC */
	char ipv6[IPV6_TEXT_SIZE];    /* "" in a lease of IPv4 */
	char name[64];                /* "" where the client sent none */
};

struct lease_table {
	struct lease *leases;         /* sorted by MAC and IPv6 address */
	size_t count;
	size_t broken;                /* lines of a single file that nobody understands, passed over */
	size_t first_broken;          /* the number of the first, from 1 */
};

/* Reads the lease files of all networks; an absent file is an empty table, broken lines are passed over. */
int lease_table_load(struct lb_context *ctx, struct lease_table *ret_table);
void lease_table_free(struct lease_table *table);

#define CLEANUP_LEASE_TABLE CLEANUP(lease_table_free)

/* Those of one network only. */
struct network_plan;
int lease_table_load_planned(struct lb_context *ctx, const struct network_plan *plan, struct lease_table *ret_table);

/* The whole text of its lease file, "" where there is none; the caller's. Never one that dnsmasq is just writing. */
int lease_file_read(struct lb_context *ctx, const struct network_plan *plan, char **ret_text);

/* The IPv4 address @mac holds now, or NULL. */
const char *lease_table_find(const struct lease_table *table, const char *mac);

/* The live lease of an IPv6 address as inet_ntop(3) writes it, or NULL. */
const struct lease *lease_table_find_ipv6(const struct lease_table *table, const char *ipv6);
/* The first lease of @mac, live or not; its others follow in the table. NULL where it has none. */
const struct lease *lease_table_first(const struct lease_table *table, const char *mac);

/* Is there any lease of @mac, live or not? */
bool lease_table_has(const struct lease_table *table, const char *mac);

bool lease_is_live(const struct lease *lease, int64_t now);

/* The text of a lease file (modified) as a table; -ENOMEM or 0. */
int lease_table_parse(char *text, struct lease_table *ret_table);

/* Cuts the first words out of a line of a lease file, in place; returns how many there are, at most LEASE_WORDS. */
int lease_split(char *line, const char *words[LEASE_WORDS]);
