/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A copy of a top layer that is being written to, made in passes: the first copies all, each later one what changed
 * since. When the last one runs nobody may write: the container is frozen. What decides about "changed" is in
 * docs/snapshots.md.
 *
 * Everything is kept that a layer has: whiteouts, opaque marks, xattrs, capabilities, hard links, holes, times,
 * sockets. Marks by which overlayfs says where an inode came from (origin, impure) are left out; that whiteouts are in
 * a directory is said anew.
 */
#pragma once

#include "../core/context.h"

struct live_copy;

struct live_copy_counts {
	uint64_t entries;             /* in the tree */
	uint64_t copied;              /* of them, in all passes; */
	uint64_t linked;              /* or made links to the previous layer's */
	uint64_t last_pass;           /* copied or removed in the last pass */
	uint64_t last_pass_bytes;     /* of content, copied in it */
};

/*
 * @source_fd: the top layer. @target_fd: an empty directory on the same file system. @previous_fd: the directory of a
 * layer that an earlier copy of the same top layer made (it has LAYER_SOURCE); -1: none. All stay the caller's.
 */
int live_copy_begin(struct lb_context *ctx, const char *container, int source_fd, int target_fd, int previous_fd,
		    struct live_copy **ret_copy);

/* One pass. @last: nobody writes, and no syncfs(2) is made. */
int live_copy_pass(struct live_copy *copy, bool last);

/*
 * Behind the last pass, when the container runs again: gives directories their times, and writes LAYER_SOURCE into
 * @layer_fd, unless that is -1. The caller brings it to disk.
 */
int live_copy_finish(struct live_copy *copy, int layer_fd);

void live_copy_get_counts(const struct live_copy *copy, struct live_copy_counts *ret_counts);

void live_copy_free(struct live_copy **copy);
#define CLEANUP_LIVE_COPY CLEANUP(live_copy_free)

/*
 * Whether the entry @name of an open directory still is what LAYER_SOURCE in @layer_fd says of @path: for who wants to
 * know what differs between a live copy and the top layer it was made of. A reader of the states, loaded once.
 */
struct live_states;
int live_states_load(struct lb_context *ctx, int layer_fd, struct live_states **ret_states); /* 1 where there are none */
bool live_states_same(const struct live_states *states, const char *path, int dir_fd, const char *name);
void live_states_free(struct live_states **states);
