/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fold.h"

#include <fcntl.h>
#include <sys/file.h>

#include "../container/layout.h"
#include "../container/next.h"
#include "layer.h"
#include "merge.h"
#include "references.h"

static int open_top(struct lb_context *ctx, int container_fd, const char *name)
{
	int fd = openat(container_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? fail_errno(ctx, errno, "cannot open the top layer of container '%s'", name) : fd;
}

static size_t count_names(const struct references *references, const char *id)
{
	size_t count = 0;

	for (size_t i = 0; i < references->count; i++)
		count += chain_has(&references->items[i].chain, id);
	return count;
}

/*
 * Does somebody else read the layer, whose tree we have opened? Then he may be about to name it. Who comes later reads
 * first who names it, and finds nobody but us. The lock becomes exclusive for a moment; failing that, it is lost, and
 * taken again.
 */
static int is_read(struct lb_context *ctx, int tree_fd, const char *id)
{
	bool alone = flock(tree_fd, LOCK_EX | LOCK_NB) == 0;

	if (!alone && errno != EWOULDBLOCK)
		return fail_errno(ctx, errno, "cannot lock layer %s", id);
	return flock(tree_fd, LOCK_SH) < 0 ? fail_errno(ctx, errno, "cannot lock layer %s", id) : !alone;
}

/*
 * The top layer and the chain. What others name or read, too, must not share files with a top layer, which changes; a
 * container whose lock we hold gets no new snapshots or clones meanwhile, so nobody comes to name the rest. A layer
 * that is ours alone may be a farm of such that are not, or a live copy that has files in common with another.
 */
static int merge_into(struct lb_context *ctx, const struct chain_trees *trees, const struct chain *chain, int out_fd)
{
	CLEANUP_REFERENCES struct references references = { 0 };
	struct merge_layer layers[CHAIN_MAX + 1] = { { .fd = trees->fds[0] } };
	int r = references_collect(ctx, &references);

	for (size_t i = 0; r >= 0 && i < chain->count; i++) {
		layers[i + 1] = (struct merge_layer){ .fd = trees->fds[i + 1], .copy = true, .copy_shared = true };
		if (count_names(&references, chain->ids[i]) > 1)
			continue;
		r = is_read(ctx, trees->fds[i + 1], chain->ids[i]);
		layers[i + 1].copy = r > 0;
	}
	return r < 0 ? r : layers_merge(ctx, layers, trees->count, out_fd);
}

int layers_fold(struct lb_context *ctx, int container_fd, const char *name, struct record *record)
{
	CLEANUP_CHAIN_TREES struct chain_trees trees = { 0 };
	CLEANUP_NEXT struct next next = NEXT_EMPTY;
	struct record after = *record;
	CLEANUP_FD int top_fd = record->layers.count ? open_top(ctx, container_fd, name) : -1;
	int r;

	if (!record->layers.count)
		return 1;
	after.layers.count = 0;
	after.mounted_layers.count = 0;
	r = top_fd < 0 ? top_fd : chain_open_trees(ctx, &record->layers, NULL, 0, top_fd, &trees);
	if (r == 0)
		r = next_begin(ctx, container_fd, name, &next);
	if (r == 0)
		r = next_add_top(&next, -1);
	if (r == 0)
		r = merge_into(ctx, &trees, &record->layers, next.top_fd);
	if (r == 0 && syncfs(next.top_fd) < 0)
		r = fail_errno(ctx, errno, "cannot write the layers of container '%s' to disk", name);
	if (r == 0)
		r = layers_sweep_later(ctx);
	if (r == 0)
		r = next_commit(&next, &after);
	if (r == 0)
		r = next.unfinished; /* who goes on works with the files */
	if (r < 0)
		return fail_wrap(ctx, r, "cannot make one layer of those of container '%s'", name);
	*record = after;
	log_message(ctx, LB_LOG_INFO, "container '%s': its %zu layers are one now", name, trees.count);
	return 0;
}

int layers_fold_to_look(struct lb_context *ctx, int container_fd, const char *name, const struct record *record,
			struct layer_draft *ret_draft)
{
	CLEANUP_CHAIN_TREES struct chain_trees trees = { 0 };
	struct merge_layer layers[CHAIN_MAX + 1];
	CLEANUP_FD int top_fd = open_top(ctx, container_fd, name);
	int r = top_fd < 0 ? top_fd : chain_open_trees(ctx, &record->layers, NULL, 0, top_fd, &trees);

	if (r == 0)
		r = layer_draft_begin(ctx, NULL, ret_draft);
	if (r < 0)
		return r;
	for (size_t i = 0; i < trees.count; i++)
		layers[i] = (struct merge_layer){ .fd = trees.fds[i] };
	return layers_merge(ctx, layers, trees.count, ret_draft->tree_fd);
}
