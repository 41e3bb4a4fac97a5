/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "consolidate.h"

#include <fcntl.h>

#include "../container/container.h"
#include "../container/next.h"
#include "../core/lock.h"
#include "layer.h"
#include "merge.h"
#include "mount.h"
#include "references.h"

/* Two layers that can be one. */
struct pair {
	char upper[LAYER_ID_SIZE], lower[LAYER_ID_SIZE];
};

/* ---- which ---- */

static int index_of(const struct chain *chain, const char *id)
{
	for (size_t i = 0; i < chain->count; i++)
		if (text_equal(chain->ids[i], id))
			return (int)i;
	return -1;
}

/*
 * Is @pair's upper layer right above the lower one wherever that is? What a running container has mounted stays, and
 * does not count; but nobody remembers what a snapshot that is mounted consisted of, so that keeps its layers.
 */
static bool is_everywhere(struct lb_context *ctx, const struct references *references, const struct pair *pair)
{
	for (size_t i = 0; i < references->count; i++) {
		const struct reference *reference = &references->items[i];
		int at = reference->mounted ? -1 : index_of(&reference->chain, pair->lower);

		if (at == 0 || (at > 0 && !text_equal(reference->chain.ids[at - 1], pair->upper)))
			return false;
		if (at > 0 && *reference->label && snapshot_is_mounted(ctx, reference->container, reference->label))
			return false;
	}
	return true;
}

/* The first pair in a chain of @container's. */
static bool find_pair(struct lb_context *ctx, const struct references *references, const char *container,
		      struct pair *ret_pair)
{
	for (size_t i = 0; i < references->count; i++) {
		const struct reference *reference = &references->items[i];

		if (reference->mounted || reference->next || !text_equal(reference->container, container))
			continue;
		for (size_t at = 1; at < reference->chain.count; at++) {
			text_copy(ret_pair->upper, sizeof ret_pair->upper, reference->chain.ids[at - 1]);
			text_copy(ret_pair->lower, sizeof ret_pair->lower, reference->chain.ids[at]);
			if (is_everywhere(ctx, references, ret_pair))
				return true;
		}
	}
	return false;
}

/* ---- one of both ---- */

static int merge_pair(struct lb_context *ctx, const struct pair *pair, struct layer_draft *draft)
{
	CLEANUP_FD int upper_fd = layer_open_tree(ctx, pair->upper);
	CLEANUP_FD int lower_fd = upper_fd < 0 ? -1 : layer_open_tree(ctx, pair->lower);
	const struct merge_layer layers[] = { { .fd = upper_fd }, { .fd = lower_fd } };
	int r;

	if (upper_fd < 0 || lower_fd < 0)
		return upper_fd < 0 ? upper_fd : lower_fd;
	r = layer_draft_begin(ctx, NULL, draft);
	if (r == 0)
		r = layers_merge(ctx, layers, 2, draft->tree_fd);
	return r == 0 ? layer_draft_publish(draft) : r;
}

/* ---- in every chain ---- */

/* The containers that have the pair in a chain, locked all at once, under the root's lock. */
struct holders {
	struct text_list names;
	int *fds;
};

static void holders_release(struct holders *holders)
{
	for (size_t i = 0; holders->fds && i < holders->names.count; i++)
		close_fd(holders->fds[i]);
	free(holders->fds);
	text_list_free(&holders->names);
}

/* -LB_ERR_BUSY where somebody works on one of them. */
static int holders_lock(struct lb_context *ctx, const struct references *references, const struct pair *pair,
			struct holders *holders)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < references->count; i++) {
		const struct reference *reference = &references->items[i];

		if (!reference->mounted && chain_has(&reference->chain, pair->lower) &&
		    !text_list_has(&holders->names, reference->container))
			r = text_list_add(&holders->names, reference->container);
	}
	holders->fds = calloc(holders->names.count + 1, sizeof *holders->fds);
	if (r < 0 || !holders->fds)
		return fail_memory(ctx);
	for (size_t i = 0; i < holders->names.count; i++)
		holders->fds[i] = -1;
	for (size_t i = 0; i < holders->names.count; i++) {
		holders->fds[i] = lock_container_at_once(ctx, holders->names.items[i]);
		if (holders->fds[i] < 0)
			return holders->fds[i];
		r = next_finish(ctx, holders->fds[i], holders->names.items[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int rewrite_record(struct lb_context *ctx, int fd, const char *name, const struct pair *pair, const char *merged)
{
	struct record record = { 0 };
	struct chain before;
	int stopped = container_is_stopped(ctx, name);
	int r = stopped < 0 ? stopped : record_read(ctx, fd, name, &record);

	if (r < 0)
		return r;
	before = record.layers;
	if (chain_replace_pair(&record.layers, pair->upper, pair->lower, merged)) {
		if (stopped)
			record.mounted_layers.count = 0;
		else if (!record.mounted_layers.count)
			record.mounted_layers = before;
		r = record_write(ctx, fd, name, &record);
	}
	record_free(&record);
	return r;
}

static int rewrite_snapshots(struct lb_context *ctx, int fd, const char *name, const struct pair *pair,
			     const char *merged)
{
	CLEANUP_TEXT_LIST struct text_list labels = { 0 };
	int r = snapshot_list_labels(ctx, fd, name, &labels);

	for (size_t i = 0; r == 0 && i < labels.count; i++) {
		struct snapshot_record record;

		r = snapshot_read(ctx, fd, name, labels.items[i], &record);
		if (r < 0)
			return r;
		if (chain_replace_pair(&record.layers, pair->upper, pair->lower, merged))
			r = snapshot_write(ctx, fd, name, labels.items[i], &record, true);
		snapshot_record_free(&record);
	}
	return r;
}

/* Each chain is right before and after; whoever ends us in between leaves some with two layers, and others with one. */
static int replace_pair(struct lb_context *ctx, const struct pair *pair, const char *merged)
{
	CLEANUP(holders_release) struct holders holders = { 0 };
	CLEANUP_REFERENCES struct references references = { 0 };
	CLEANUP_FD int lock_fd = lock_root(ctx);
	int r = lock_fd < 0 ? lock_fd : references_collect(ctx, &references);

	if (r == 0)
		r = holders_lock(ctx, &references, pair, &holders);
	if (r < 0)
		return r;
	/* Once more, now that nobody can change it. */
	references_free(&references);
	r = references_collect(ctx, &references);
	if (r < 0)
		return r;
	if (!is_everywhere(ctx, &references, pair))
		return fail(ctx, -LB_ERR_BUSY, "somebody else has changed what stands on layer %s", pair->lower);
	r = layers_sweep_later(ctx);
	for (size_t i = 0; r == 0 && i < holders.names.count; i++) {
		r = rewrite_snapshots(ctx, holders.fds[i], holders.names.items[i], pair, merged);
		if (r == 0)
			r = rewrite_record(ctx, holders.fds[i], holders.names.items[i], pair, merged);
	}
	return r;
}

static int consolidate_one(struct lb_context *ctx, const struct pair *pair)
{
	CLEANUP_LAYER_DRAFT struct layer_draft draft = LAYER_DRAFT_EMPTY;
	int r = merge_pair(ctx, pair, &draft);

	return r == 0 ? replace_pair(ctx, pair, draft.id) : r;
}

int layers_consolidate(struct lb_context *ctx, const char *container)
{
	int merged = 0;

	for (;; merged++) {
		CLEANUP_REFERENCES struct references references = { 0 };
		struct pair pair;
		int r = references_collect(ctx, &references);

		if (r < 0 || !find_pair(ctx, &references, container, &pair))
			return r < 0 ? r : !merged;
		r = consolidate_one(ctx, &pair);
		if (r < 0)
			return r;
	}
}
