/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /etc/subuid and /etc/subgid (subuid(5)): newuidmap(1), which LXC uses even as root, wants a `root:` line
 * that covers every range; and the ranges that other users hold are not to be handed out.
 */
#pragma once

#include "../core/context.h"

struct subid_range {
	uint32_t start, count;
	bool is_root;
};

struct subid_table {
	struct subid_range *ranges;
	size_t count;
};

/* Reads both files into one table. Lines that name no range are passed over. */
int subid_load(struct lb_context *ctx, struct subid_table *ret_table);
void subid_free(struct subid_table *table);

/* The end of the first range of another user that overlaps [start, start + count), or 0. */
uint64_t subid_conflict(const struct subid_table *table, uint32_t start, uint32_t count);

/*
 * Makes sure that root may use [start, start + count): adds a line for it and for as many ids behind it as are
 * free, up to @ahead, to both files, so that not every container writes to /etc. The caller holds the root's lock.
 */
int subid_grant(struct lb_context *ctx, const struct subid_table *table, uint32_t start, uint32_t count,
		uint32_t ahead);
