/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A snapshot whose top layer is copied, since the container runs, or needs its top layer where it is. */
#include <fcntl.h>
#include <time.h>

#include "../adapters/freeze.h"
#include "../container/layout.h"
#include "../core/store.h"
#include "flatten.h"
#include "layer.h"
#include "live-copy.h"
#include "make.h"

enum { FREEZE_TIMEOUT_S = 60, PASSES_MAX = 4, ENOUGH_BYTES = 4 << 20 };

/* The layer of the newest snapshot that was copied from the same top layer, or -1: files that are the same are shared. */
static int open_previous(struct making *making)
{
	CLEANUP_TEXT_LIST struct text_list labels = { 0 };
	char newest[LAYER_ID_SIZE] = "";
	int64_t created = -1;

	if (snapshot_list_labels(making->ctx, making->container_fd, making->name, &labels) < 0)
		return -1;
	for (size_t i = 0; i < labels.count; i++) {
		struct snapshot_record record;

		if (snapshot_read(making->ctx, making->container_fd, making->name, labels.items[i], &record) < 0)
			continue;
		if (record.live && record.layers.count && record.created > created) {
			created = record.created;
			text_copy(newest, sizeof newest, record.layers.ids[0]);
		}
		snapshot_record_free(&record);
	}
	return *newest ? layer_open(making->ctx, newest) : -1;
}

/* Passes while it runs, until little is left to do: what remains is done while it is frozen. */
static int copy_unfrozen(struct making *making, struct live_copy *copy)
{
	struct live_copy_counts counts = { 0 };
	int r = 0;

	for (int i = 0; r == 0 && i < PASSES_MAX; i++) {
		r = live_copy_pass(copy, false);
		live_copy_get_counts(copy, &counts);
		progress(making->ctx, -1, "%s: %llu entries copied, %llu shared with the snapshot before", making->name,
			 (unsigned long long)counts.copied, (unsigned long long)counts.linked);
		if (i > 0 && counts.last_pass_bytes < ENOUGH_BYTES)
			break;
	}
	return r;
}

static int copy_frozen(struct making *making, struct live_copy *copy)
{
	CLEANUP_FREE char *lxcpath = store_path(making->ctx, STORE_CONTAINERS);
	struct freeze freeze;
	int r = lxcpath ? freeze_hold(making->ctx, lxcpath, making->name, FREEZE_TIMEOUT_S, &freeze)
			: fail_memory(making->ctx);
	int released;

	if (r < 0)
		return r;
	making->record.created = time(NULL);
	r = live_copy_pass(copy, true);
	if (r < 0) {
		CLEANUP_FREE char *error = strdup(making->ctx->error);

		freeze_release(&freeze);
		return fail(making->ctx, r, "%s", error ? error : "out of memory");
	}
	released = freeze_release(&freeze);
	making->record.frozen_us = freeze.frozen_us;
	return released;
}

static int copy_all(struct making *making, int top_fd, struct layer_draft *draft, bool freeze)
{
	CLEANUP_LIVE_COPY struct live_copy *copy = NULL;
	CLEANUP_FD int previous_fd = open_previous(making);
	int r = live_copy_begin(making->ctx, making->name, top_fd, draft->tree_fd, previous_fd, &copy);

	if (r == 0)
		r = copy_unfrozen(making, copy);
	if (r == 0 && freeze)
		r = copy_frozen(making, copy);
	else if (r == 0) {
		making->record.created = time(NULL);
		r = live_copy_pass(copy, true);
	}
	return r == 0 ? live_copy_finish(copy, draft->fd) : r;
}

/* The container goes on with one layer, too, or the next snapshot would flatten it again. What is mounted stays so. */
static int flatten(struct making *making, const struct record *record, bool runs, struct chain *ret_layers)
{
	CLEANUP_LAYER_DRAFT struct layer_draft farm = LAYER_DRAFT_EMPTY;
	struct record after = *record;
	int r = chain_flatten(making->ctx, &after.layers, &farm);

	*ret_layers = after.layers;
	if (r != 0)
		return r < 0 ? r : 0;
	if (runs && !after.mounted_layers.count)
		after.mounted_layers = record->layers;
	return record_write(making->ctx, making->container_fd, making->name, &after);
}

int make_copy(struct making *making, const struct record *record, bool freeze)
{
	CLEANUP_LAYER_DRAFT struct layer_draft draft = LAYER_DRAFT_EMPTY;
	CLEANUP_FD int top_fd =
		openat(making->container_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (top_fd < 0)
		return fail_errno(making->ctx, errno, "cannot open the top layer of container '%s'", making->name);
	making->record.live = true;
	r = flatten(making, record, freeze, &making->record.layers);
	if (r == 0)
		r = layer_draft_begin(making->ctx, NULL, &draft);
	if (r < 0)
		return r;
	chain_push(&making->record.layers, draft.id);
	r = copy_all(making, top_fd, &draft, freeze);
	if (r == 0)
		r = layer_draft_publish(&draft);
	if (r == 0)
		r = snapshot_write(making->ctx, making->container_fd, making->name, making->label, &making->record,
				   false);
	return r;
}
