/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In what two stacks of trees differ; what they have in common costs next to nothing. */
#pragma once

#include "layer.h"
#include "live-copy.h"

struct compare_side {
	const struct chain_trees *trees;
	const char *what;             /* for sentences: "snapshot 'x' of container 'a'" */
	const struct live_states *states; /* its topmost tree is a live copy of the other side's; NULL: it is not known */
};

/*
 * Gives every path that is not the same on both sides to @fn (which may be NULL), sorted by the bytes of the paths.
 * Type, mode, owner, size, content, target, device and extended attributes count, times do not. The number of them in
 * *ret_count. Trees may change meanwhile.
 */
int stacks_compare(struct lb_context *ctx, const struct compare_side *before, const struct compare_side *after,
		   lb_difference_fn fn, void *userdata, size_t *ret_count);
