/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A snapshot whose top layer is copied, since the container runs, or needs its top layer where it is. */
#include <time.h>

#include "../adapters/freeze.h"
#include "../core/store.h"
#include "ahead.h"
#include "flatten.h"

enum { FREEZE_TIMEOUT_S = 60 };

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

static int copy_rest(struct making *making, struct ahead *ahead, bool freeze)
{
	int r;

	if (freeze) {
		r = ahead_catch_up(ahead);
		if (r == 0)
			r = copy_frozen(making, ahead->copy);
	} else {
		making->record.created = time(NULL);
		r = live_copy_pass(ahead->copy, true);
	}
	return r == 0 ? live_copy_finish(ahead->copy, ahead->draft.fd) : r;
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

int make_copy(struct making *making, const struct record *record, bool freeze, struct ahead *ahead)
{
	int r = 0;

	if (!ahead->copy) {
		r = ahead_begin(making, ahead);
		if (r == 0)
			r = ahead_copy(making->ctx, making->name, ahead);
	}
	if (r < 0)
		return r;
	making->record.live = true;
	r = flatten(making, record, freeze, &making->record.layers);
	if (r < 0)
		return r;
	chain_push(&making->record.layers, ahead->draft.id);
	r = copy_rest(making, ahead, freeze);
	if (r == 0)
		r = layer_draft_publish(&ahead->draft);
	if (r == 0)
		r = snapshot_write(making->ctx, making->container_fd, making->name, making->label, &making->record,
				   false);
	return r;
}
