/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flatten.h"

#include "merge.h"

int chain_flatten(struct lb_context *ctx, struct chain *chain, struct layer_draft *farm)
{
	CLEANUP_CHAIN_TREES struct chain_trees trees = { 0 };
	struct merge_layer layers[CHAIN_MAX];
	int r;

	if (chain->count < CHAIN_FLATTEN)
		return 1;
	r = chain_open_trees(ctx, chain, NULL, 0, -1, &trees);
	if (r == 0)
		r = layer_draft_begin(ctx, NULL, farm);
	if (r < 0)
		return r;
	for (size_t i = 0; i < trees.count; i++)
		layers[i] = (struct merge_layer){ .fd = trees.fds[i] };
	r = layers_merge(ctx, layers, trees.count, farm->tree_fd);
	if (r == 0)
		r = layer_draft_publish(farm);
	if (r == 0)
		r = layers_sweep_later(ctx);
	if (r < 0)
		return r;
	*chain = (struct chain){ 0 };
	chain_push(chain, farm->id);
	return 0;
}
