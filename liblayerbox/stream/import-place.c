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
	making.label = kept;
	making.record = snapshot_record_of(import->name, record);
	making.record.comment = strdup("before a stream took its place");
	r = making.record.comment ? make_cold(&making, record, other) : fail_memory(ctx);
	snapshot_record_free(&making.record);
	if (r == 0)
		log_message(ctx, LB_LOG_INFO, "container '%s' as it was is snapshot '%s' now", import->name, kept);
	return r;
}

/* The stream's snapshot, under its label or, where there is one, LABEL.2, LABEL.3 ... */
static int write_snapshot(struct import *import, int container_fd)
{
	CLEANUP_FREE char *text = *import->header.snapshot ? import_snapshot_text(import) : NULL;
	struct snapshot_record snapshot = { 0 };
	char label[LABEL_SIZE + 16];
	int r;

	if (!*import->header.snapshot)
		return 0;
	r = text ? snapshot_record_parse(import->ctx, text, import->header.snapshot, &snapshot)
		 : fail_memory(import->ctx);
	if (r < 0)
		return r;
	text_copy(label, sizeof label, import->header.snapshot);
	r = -LB_ERR_EXISTS;
	for (int i = 2; r == -LB_ERR_EXISTS && i < 100 && strlen(label) < LABEL_SIZE; i++) {
		r = snapshot_write(import->ctx, container_fd, import->name, label, &snapshot, false);
		if (r == -LB_ERR_EXISTS)
			snprintf(label, sizeof label, "%s.%d", import->header.snapshot, i);
	}
	snapshot_record_free(&snapshot);
	return r;
}

static int write_map(struct import *import, int container_fd)
{
	CLEANUP_FREE char *text = id_map_to_text(&import->map);
	int r;

	if (!import->map.count)
		return 0;
	r = text ? file_write(container_fd, ID_MAP_FILE, text, strlen(text), 0600, FILE_DURABLE) : -ENOMEM;
	return r < 0 ? fail_errno(import->ctx, r, "cannot write down what layers are called here") : 0;
}

/* The topmost tree of what the container goes on with. */
static int open_topmost(struct import *import)
{
	return import->layers.count ? layer_open_tree(import->ctx, import->layers.ids[0])
				    : base_open_tree(import->ctx, import->base.name, import->base.generation);
}

static int replace_locked(struct import *import, int container_fd, struct record *record)
{
	CLEANUP_FD int like_fd = open_topmost(import);
	bool arriving = import->options->incoming;
	struct filling filling;
	struct going_on other;
	int r = like_fd < 0 ? like_fd : rebase_recover(import->ctx, import->name, container_fd, record);

	if (r >= 0)
		r = rebase_settle(import->ctx, import->name, container_fd, record);
	if (r >= 0)
		r = write_map(import, container_fd);
	if (r == 0)
		r = write_snapshot(import, container_fd);
	if (r < 0)
		return r;
	other = (struct going_on){ .record = record_after(import, record, arriving), .like_fd = like_fd, .fill = fill };
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
