/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The states of a tree's entries, and LAYER_SOURCE: a file of them. Its reader believes none of its numbers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "live-copy.h"

/* What is in memory is what is in the file. */
struct live_state {
	uint64_t inode;               /* 0: nothing is known */
	int64_t ctime, mtime;
	uint64_t size, rdev;
	uint32_t ctime_ns, mtime_ns;
	uint32_t mode, uid, gid;
	uint32_t again;               /* it may have changed without another state: 1, else 0 */
};

#define LIVE_NONE UINT32_MAX

struct live_state live_state_of(const struct stat *st);

/* Of a directory the names in it may have changed all the same, if @again is set. Whiteouts are all alike. */
bool live_state_is_of(const struct live_state *state, const struct stat *st);

bool live_is_whiteout(uint32_t mode, uint64_t rdev);

/* The index of an entry of a directory, whose own it is; the root's is 0. LIVE_NONE: not there. */
uint32_t live_states_find(const struct live_states *states, uint32_t directory, const char *name);

/* That of an index; NULL: not there. */
const struct live_state *live_states_get(const struct live_states *states, uint32_t index);

/* Writes the tree of a copy, whose root is @root, as LAYER_SOURCE into @layer_fd. */
struct live_node;
int live_states_write(struct lb_context *ctx, const struct live_node *root, int layer_fd);
