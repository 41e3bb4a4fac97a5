/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was unpacked gets its places, and its name: a new container's, or one's that is there. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../base/base.h"
#include "../container/container.h"
#include "../container/next.h"
#include "../core/store.h"
#include "../rebase/apply.h"
#include "../snapshot/make.h"
#include "../util/file.h"
#include "import.h"
#include "moving.h"

enum { LABEL_TRIES = 100 };

/* ---- layers ---- */

/* Under the identifier that it came with, unless that is taken. */
static int begin_draft(struct import *import, const char *theirs, struct layer_draft **ret_draft)
{
	struct layer_draft *draft = &import->drafts[import->draft_count];
	int r = layer_draft_begin(import->ctx, theirs, draft);

	if (r == -LB_ERR_EXISTS) {
		r = layer_draft_begin(import->ctx, NULL, draft);
		if (r == 0)
			id_map_add(&import->map, theirs, draft->id);
	}
	if (r < 0)
		return r;
	import->draft_count++;
	*ret_draft = draft;
	return 0;
}

static int place_layer(struct import *import, const char *theirs)
{
	CLEANUP_FREE char *path = text_format(STORE_LAYERS "/%s/" LAYER_TREE, theirs);
	struct layer_draft *draft = NULL;
	int r = path ? begin_draft(import, theirs, &draft) : fail_memory(import->ctx);

	if (r < 0)
		return r;
	close_fd(take_fd(&draft->tree_fd)); /* it is empty, and gives way */
	if (renameat(import->inbox.fd, path, draft->fd, LAYER_TREE) < 0)
		return errno == ENOENT ? fail(import->ctx, -LB_ERR_BAD_STREAM,
					      "the stream has not the layer %s that it speaks of", theirs)
				       : fail_errno(import->ctx, errno, "cannot move layer %s to its place", theirs);
	return layer_draft_publish(draft);
}

/* Bottom layer first. One that is here already, and came nevertheless, stays in the inbox. */
static int place_layers(struct import *import)
{
	const struct stream_header *header = &import->header;
	int r = layers_sweep_later(import->ctx); /* whatever ends us before they have a name */

	for (size_t i = header->layers.count; r == 0 && i-- > 0;) {
		const char *theirs = header->layers.ids[i];

		if (!import->here[i])
			r = place_layer(import, theirs);
		if (r == 0 && !chain_push(&import->layers, id_map_find(&import->map, theirs)))
			r = fail(import->ctx, -LB_ERR_BAD_STREAM, "the stream has too many layers");
	}
	return r;
}

int import_place(struct import *import)
{
	int r = import->take_base ? base_in_take(&import->inbox, &import->header, &import->base) : 0;

	return r < 0 ? r : place_layers(import);
}

char *import_snapshot_text(const struct import *import)
{
	struct snapshot_record snapshot = import->snapshot;

	snapshot.layers = import->layers;
	text_copy(snapshot.base, sizeof snapshot.base, import->base.name);
	snapshot.generation = import->base.generation;
	return snapshot_record_to_text(&snapshot);
}

/* ---- a container that is there ---- */

/* What the container goes on as: with the files of the stream; one that is arriving with its settings, too. */
static struct record record_after(const struct import *import, const struct record *record, bool arriving)
{
	struct record after = arriving ? import->record : *record;

	if (arriving) {
		after.id_start = record->id_start;
		after.id_count = record->id_count;
		after.identity = record->identity;
		after.forwards = record->forwards;
		after.created = record->created;
	}
	after.layers = import->layers;
	after.mounted_layers.count = 0;
	text_copy(after.base, sizeof after.base, import->base.name);
	after.generation = import->base.generation;
	*after.rebase_to = '\0';
	return after;
}

struct container_origin import_origin(const struct import *import)
{
	const struct stream_header *header = &import->header;

	return (struct container_origin){ .name = header->files_name,
					  .ipv4 = header->files_ipv4,
					  .gateway = *header->files_gateway ? header->files_gateway : NULL };
}

struct filling {
	const struct import *import;
	const struct record *record;
};

/* The container keeps its name and address, whatever came. */
static int fill(struct lb_context *ctx, int top_fd, const void *userdata)
{
	const struct filling *filling = userdata;
	const struct container_origin origin = import_origin(filling->import);

	return container_rerender(ctx, top_fd, filling->import->name, filling->record, &origin);
}

/* Of one that never ran here nothing is kept. */
static int replace_arriving(struct import *import, int container_fd, const struct going_on *other)
{
	CLEANUP_NEXT struct next next = NEXT_EMPTY;
	int r = next_begin(import->ctx, container_fd, import->name, &next);

	next.came = other->came;
	if (r == 0)
		r = next_add_top(&next, other->like_fd);
	if (r == 0)
		r = other->fill(import->ctx, next.top_fd, other->userdata);
	return r < 0 ? r : next_commit(&next, &other->record);
}

static int replace_living(struct import *import, int container_fd, struct record *record, const struct going_on *other)
{
	struct lb_context *ctx = import->ctx;
	struct making making = { .ctx = ctx, .name = import->name, .container_fd = container_fd };
	char kept[LABEL_SIZE];
	int r = label_make(ctx, container_fd, import->name, "before-receive", kept);

	if (r < 0)
		return r;
	if (text_equal(other->came->label, kept))
		return fail(ctx, -LB_ERR_EXISTS,
			    "snapshot '%s' of the stream is called as what is kept of container '%s'; send it again", kept,
			    import->name);
	making.label = kept;
	making.record = snapshot_record_of(import->name, record);
	making.record.comment = strdup("before a stream took its place");
	r = making.record.comment ? make_cold(&making, record, other) : fail_memory(ctx);
	snapshot_record_free(&making.record);
	if (r == 0)
		log_message(ctx, LB_LOG_INFO, "container '%s' as it was is snapshot '%s' now", import->name, kept);
	return r;
}

static bool has_snapshot(int container_fd, const char *label)
{
	CLEANUP_FREE char *path = text_format(LAYOUT_SNAPSHOTS "/%s", label);

	return !path || faccessat(container_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/* The label of the stream's snapshot or, where there is one, LABEL.2, LABEL.3 ... */
static int choose_label(struct import *import, int container_fd, struct next_came *came)
{
	const char *label = import->header.snapshot;

	text_copy(came->label, sizeof came->label, label);
	for (int i = 2; has_snapshot(container_fd, came->label); i++) {
		snprintf(came->label, sizeof came->label, "%s.%d", label, i);
		if (i >= LABEL_TRIES || strlen(came->label) >= LABEL_SIZE)
			return fail(import->ctx, -LB_ERR_EXISTS, "container '%s' has a snapshot '%s' already",
				    import->name, label);
	}
	return 0;
}

/*
 * The stream's snapshot, and what its layers are called here: there when the container has its files, and not before.
 */
static int make_came(struct import *import, int container_fd, struct next_came *came)
{
	int r = *import->header.snapshot ? choose_label(import, container_fd, came) : 0;

	if (r < 0)
		return r;
	if (*import->header.snapshot)
		came->snapshot = import_snapshot_text(import);
	if (import->map.count)
		came->received = id_map_to_text(&import->map);
	return (*import->header.snapshot && !came->snapshot) || (import->map.count && !came->received)
		       ? fail_memory(import->ctx)
		       : 0;
}

static void came_free(struct next_came *came)
{
	free(came->snapshot);
	free(came->received);
}

/* The topmost tree of what the container goes on with. */
static int open_topmost(struct import *import)
{
	return import->layers.count ? layer_open_tree(import->ctx, import->layers.ids[0])
				    : base_open_tree(import->ctx, import->base.name, import->base.generation);
}

static int replace_locked(struct import *import, int container_fd, struct record *record)
{
	CLEANUP(came_free) struct next_came came = { 0 };
	CLEANUP_FD int like_fd = open_topmost(import);
	bool arriving = import->options->incoming;
	struct filling filling;
	struct going_on other;
	int r = like_fd < 0 ? like_fd : rebase_recover(import->ctx, import->name, container_fd, record);

	if (r >= 0)
		r = rebase_settle(import->ctx, import->name, container_fd, record);
	if (r >= 0)
		r = make_came(import, container_fd, &came);
	if (r < 0)
		return r;
	other = (struct going_on){
		.record = record_after(import, record, arriving), .like_fd = like_fd, .fill = fill, .came = &came
	};
	filling = (struct filling){ import, &other.record };
	other.userdata = &filling;
	return arriving ? replace_arriving(import, container_fd, &other)
			: replace_living(import, container_fd, record, &other);
}

int import_replace(struct import *import)
{
	CLEANUP_FD int fd = container_lock(import->ctx, import->name);
	struct record record = { 0 };
	int r = fd < 0 ? fd : import_check_replaced(import, fd, &record);

	if (r < 0)
		return r;
	r = replace_locked(import, fd, &record);
	record_free(&record);
	return r;
}
