/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Back to a snapshot, with the present state kept as another. */
#include "../container/container.h"
#include "../container/next.h"
#include "../container/render.h"
#include "../container/seed.h"
#include "../events/event.h"
#include "../rebase/apply.h"
#include "layer.h"
#include "make.h"

/* @snapshot's files, and its own settings. */
static struct record record_of(const struct record *record, const struct snapshot_record *snapshot)
{
	struct record after = *record;

	after.layers = snapshot->layers;
	after.mounted_layers.count = 0;
	text_copy(after.base, sizeof after.base, snapshot->base);
	after.generation = snapshot->generation;
	*after.rebase_to = '\0';
	return after;
}

/* The way back from the last rebase is of the present files, which are kept as they are. */
static int prepare(struct making *making, struct record *record, const char *label)
{
	CLEANUP_FREE char *comment = text_format("before the restore of %s", label);
	struct lb_context *ctx = making->ctx;
	int r = rebase_recover(ctx, making->name, making->container_fd, record);

	if (r >= 0)
		r = rebase_settle(ctx, making->name, making->container_fd, record);
	if (r < 0)
		return r;
	making->record = snapshot_record_of(making->name, record);
	making->record.comment = TAKE_PTR(comment);
	return making->record.comment ? 0 : fail_memory(ctx);
}

/* Where the container has another name or address by now than the files of the snapshot say. */
struct filling {
	const char *name;
	const struct record *record;  /* as it will be */
	const struct snapshot_record *snapshot;
};

static int fill(struct lb_context *ctx, int top_fd, const void *userdata)
{
	const struct filling *filling = userdata;
	struct container_origin origin = { .name = filling->snapshot->name, .ipv4 = filling->snapshot->ipv4 };

	if (text_equal(origin.name, filling->name) && text_equal(origin.ipv4, filling->record->identity.ipv4))
		return 0;
	return container_rerender(ctx, top_fd, filling->name, filling->record, &origin);
}

static int go_back(struct making *making, struct record *record, const struct snapshot_record *snapshot,
		   const char *label)
{
	CLEANUP_CHAIN_TREES struct chain_trees trees = { 0 };
	struct lb_context *ctx = making->ctx;
	struct going_on other;
	struct filling filling;
	/* Nothing is changed where a layer, or the base, is not there any more. */
	int r = chain_open_trees(ctx, &snapshot->layers, snapshot->base, snapshot->generation, -1, &trees);

	if (r == 0)
		r = prepare(making, record, label);
	if (r < 0)
		return r;
	other = (struct going_on){
		.record = record_of(record, snapshot),
		.like_fd = trees.fds[0],
		.fill = fill,
		.userdata = &filling,
	};
	filling = (struct filling){ .name = making->name, .record = &other.record, .snapshot = snapshot };
	r = make_cold(making, record, &other);
	/* How init is stopped may differ with the base; the next start renders it again anyway. */
	if (r == 0 && render_config(ctx, making->container_fd, making->name, &other.record) < 0)
		log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
	return r;
}

static int restore_locked(struct lb_context *ctx, const char *name, int container_fd, const char *label,
			  char **ret_kept)
{
	struct making making = { .ctx = ctx, .name = name, .container_fd = container_fd };
	struct snapshot_record snapshot = { 0 };
	struct record record = { 0 };
	char kept[LABEL_SIZE];
	int r = record_read(ctx, container_fd, name, &record);

	making.label = kept;
	if (r == 0)
		r = snapshot_read(ctx, container_fd, name, label, &snapshot);
	if (r == 0)
		r = label_make(ctx, container_fd, name, "before-restore", kept);
	if (r == 0)
		r = go_back(&making, &record, &snapshot, label);
	snapshot_record_free(&making.record);
	snapshot_record_free(&snapshot);
	record_free(&record);
	if (r == 0 && ret_kept) {
		*ret_kept = strdup(kept);
		r = *ret_kept ? 0 : fail_memory(ctx);
	}
	return r;
}

static int restore(struct lb_context *ctx, const char *name, const char *label, char **ret_kept)
{
	CLEANUP_FD int fd = container_enter(ctx, name);
	int r;

	if (fd < 0)
		return fd;
	r = container_require_stopped(
		ctx, name, "stop it first, or restore the snapshot beside it with `layerbox snapshot restore --as`");
	return r < 0 ? r : restore_locked(ctx, name, fd, label, ret_kept);
}

int lb_snapshot_restore(struct lb_context *ctx, const char *name, const char *label, char **ret_kept)
{
	return event_of(ctx, "restore", name, restore(ctx, name, label, ret_kept), label);
}
