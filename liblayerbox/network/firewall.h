/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What may pass between the containers of a network, their host and the world: two nftables tables for each
 * network, `bridge layerbox-BRIDGE` and `inet layerbox-BRIDGE`, rendered from templates/network.nft. No other
 * table is read or changed. Containers come and go as elements of sets in them. Changes are not excluded from
 * one another here: the caller holds the root's lock.
 */
#pragma once

#include "../core/context.h"

/* host:PORT -> container:TARGET_PORT */
struct firewall_forward {
	const char *protocol;         /* "tcp" or "udp" */
	const char *listen;           /* one address of the host, IPv4 or IPv6; "": all but loopback */
	uint16_t port, target_port;
};

/* Where connections from a container may go to; the first that matches decides, and what none matches may. */
struct firewall_rule {
	bool allow;
	const char *cidr;             /* IPv4 or IPv6, address or prefix */
};

struct firewall_guest {
	const char *name;
	const char *port;             /* the host's end of its veth: see port.h */
	const char *mac;
	const char *ipv4;
	const char *ipv6;             /* "" or NULL: none */
	bool isolated;                /* from other containers; forwards stay open */
	uint64_t egress_bits;         /* a second; 0: no limit */
	const struct firewall_forward *forwards;
	size_t forward_count;
	const struct firewall_rule *rules;
	size_t rule_count;
};

struct firewall_network {
	const char *bridge;
	const char *subnet;           /* IPv4 in CIDR form */
	const char *ipv6;             /* a prefix as ipv6_parse_prefix() reads it; "" or NULL: none */
	bool nat;                     /* the host lends its address (for IPv6 to local ones); lxc-net does it itself */
	bool antispoof;               /* no frame passes with a MAC or address that is not its container's */
	const char *const *others;    /* the other bridges of layerbox's networks, NULL at the end; may be NULL */
	const char *run_directory;    /* what was applied last is noted there; made where it is missing */
};

/* Are both tables there? False also where this user may not ask. */
bool firewall_is_up(const char *bridge);

/* Brings the tables in, or puts new ones in their place where they differ. 0, or 1 when all was right. */
int firewall_apply(struct lb_context *ctx, const struct firewall_network *network, const struct firewall_guest *guests,
		   size_t count);

/*
 * One container comes, goes or changes (@from or @to may be NULL), by elements alone: a tenth of a millisecond.
 * -ENOENT where that cannot be, because the tables are missing or its rules change: then firewall_apply() does it.
 */
int firewall_change_guest(struct lb_context *ctx, const struct firewall_network *network,
			  const struct firewall_guest *from, const struct firewall_guest *to);

static inline int firewall_add_guest(struct lb_context *ctx, const struct firewall_network *network,
				     const struct firewall_guest *guest)
{
	return firewall_change_guest(ctx, network, NULL, guest);
}

static inline int firewall_remove_guest(struct lb_context *ctx, const struct firewall_network *network,
					const struct firewall_guest *guest)
{
	return firewall_change_guest(ctx, network, guest, NULL);
}

/* Adds a sentence to @problems for what in the kernel is not as it should be; firewall_apply() repairs it. */
int firewall_check(struct lb_context *ctx, const struct firewall_network *network, const struct firewall_guest *guests,
		   size_t count, struct text_list *problems);

/* Takes both tables away. 0, or 1 when there was none. */
int firewall_down(struct lb_context *ctx, const char *bridge, const char *run_directory);
