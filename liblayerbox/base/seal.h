/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A generation and the upper layer of an overlay over it become one complete tree. */
#pragma once

#include "../core/context.h"

struct seal_trees {
	int lower_fd;                 /* a sealed tree; it is not touched, but for the counts of its hard links */
	int upper_fd;                 /* what an overlay over it has left; what is in it is moved out */
	int other_fd;                 /* another sealed tree that files may be the same in; -1: none */
	int out_fd;                   /* an empty directory on the same file system */
};

/*
 * Makes the tree. What is as in a sealed tree, in content, owner, mode and extended attributes, becomes a hard link to
 * it. *ret_changes: how many paths are not as in the lower tree, names that are gone included.
 */
int seal(struct lb_context *ctx, const struct seal_trees *trees, size_t *ret_changes);
