/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nftables. Whole tables are changed by the nft program, each time as one transaction; single elements of sets
 * and maps, and what is there, by netlink: a process costs a hundred times what the change does.
 */
#pragma once

#include "../core/context.h"

/* The family of a table: what goes through bridges, or IPv4 and IPv6. */
enum nft_family { NFT_FAMILY_BRIDGE, NFT_FAMILY_INET };

/* Is nft installed? -LB_ERR_NO_PROGRAM with what to install. */
int nft_require(struct lb_context *ctx);

/* Applies @rules, all of them or none. */
int nft_apply(struct lb_context *ctx, const char *rules);

/* Is there a table of that name? False also where this user may not ask. */
bool nft_has_table(enum nft_family family, const char *table);

/*
 * A number that stands for the chains and rules of a table as they are in the kernel, without the elements of
 * its sets: another one means that someone has edited the table. -ENOENT, without a sentence, where it is gone.
 */
int nft_fingerprint(struct lb_context *ctx, enum nft_family family, const char *table, uint64_t *ret_fingerprint);

enum { NFT_KEY_MAX = 64, NFT_NAME_SIZE = 128 };

/*
 * An element of a set or map, as the kernel has it: the fields of a concatenation follow each other, each filled
 * up to four bytes; interface names have 16, numbers are big-endian. What it leads to is one of these three:
 */
struct nft_element {
	uint8_t key[NFT_KEY_MAX];
	size_t key_length;
	uint8_t data[NFT_KEY_MAX];    /* a value, in a map */
	size_t data_length;
	char object[NFT_NAME_SIZE];   /* or a named limit; "" */
	char chain[NFT_NAME_SIZE];    /* or a chain to jump to; "" */
};

/* One step of a change. */
struct nft_change {
	enum nft_action {
		NFT_ADD_ELEMENT,
		NFT_REMOVE_ELEMENT,   /* by its key */
		NFT_ADD_LIMIT,        /* matches what is over the rate; one of that name that is there stays */
		NFT_REMOVE_LIMIT,
	} action;
	enum nft_family family;
	const char *table;
	const char *name;             /* of the set, map or limit */
	struct nft_element element;
	uint64_t rate;                /* of a limit: bytes per second */
};

/*
 * Makes all of @changes, or none, in the order given. To add what is there, or to remove what is not, is no
 * failure; an element that leads elsewhere is replaced. -ENOENT where the table or the set is not there.
 */
int nft_change(struct lb_context *ctx, const struct nft_change *changes, size_t count);

/* Calls @fn with every element of a set or map, in no order, until it returns a failure. -ENOENT as above. */
typedef int (*nft_element_fn)(const struct nft_element *element, void *userdata);
int nft_list_elements(struct lb_context *ctx, enum nft_family family, const char *table, const char *set,
		      nft_element_fn fn, void *userdata);
