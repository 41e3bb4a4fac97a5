/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A snapshot of a stopped container: its top layer is renamed, and nothing copied. */
#include <fcntl.h>

#include "../container/layout.h"
#include "../container/next.h"
#include "../util/attributes.h"
#include "../util/tree.h"
#include "flatten.h"
#include "layer.h"
#include "make.h"

/* Has nothing happened in the top layer since the last cold snapshot or restore? 1, 0 or a failure. */
static int is_unchanged(struct making *making, const struct record *record)
{
	CLEANUP_FD int top_fd =
		openat(making->container_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int layer_fd = -1;
	int r = top_fd < 0 ? -errno : tree_list_names(top_fd, &names);

	if (r < 0)
		return fail_errno(making->ctx, r, "cannot read the top layer of container '%s'", making->name);
	if (names.count || !record->layers.count)
		return 0;
	layer_fd = layer_open_tree(making->ctx, record->layers.ids[0]);
	if (layer_fd < 0)
		return layer_fd;
	r = attributes_equal(top_fd, ".", layer_fd, ".");
	return r < 0 ? fail_errno(making->ctx, r, "cannot read the top layer of container '%s'", making->name) : r;
}

static int add_top(struct next *next, const struct going_on *other)
{
	int r = next_add_top(next, other ? other->like_fd : -1);

	next->came = other ? other->came : NULL;
	return r == 0 && other ? other->fill(next->ctx, next->top_fd, other->userdata) : r;
}

static int commit(struct next *next, const struct making *making, const struct record *after)
{
	text_copy(next->label, sizeof next->label, making->label);
	next->snapshot = snapshot_record_to_text(&making->record);
	return next->snapshot ? next_commit(next, after) : fail_memory(making->ctx);
}

/* The snapshot is what is below the top layer; that one goes where the container goes on with something else. */
static int point(struct making *making, const struct record *record, const struct going_on *other)
{
	CLEANUP_NEXT struct next next = NEXT_EMPTY;
	int r;

	making->record.layers = record->layers;
	if (!other)
		return snapshot_write(making->ctx, making->container_fd, making->name, making->label, &making->record,
				      false);
	r = next_begin(making->ctx, making->container_fd, making->name, &next);
	if (r == 0)
		r = add_top(&next, other);
	if (r < 0)
		return r;
	return commit(&next, making, &other->record);
}

static int rename_top(struct making *making, const struct record *record, const struct going_on *other)
{
	CLEANUP_LAYER_DRAFT struct layer_draft farm = LAYER_DRAFT_EMPTY;
	CLEANUP_NEXT struct next next = NEXT_EMPTY;
	struct record after = other ? other->record : *record;
	struct chain below = record->layers;
	int r = chain_flatten(making->ctx, &below, &farm);

	if (r >= 0)
		r = next_begin(making->ctx, making->container_fd, making->name, &next);
	if (r == 0)
		r = add_top(&next, other);
	if (r < 0)
		return r;
	layer_id_make(next.layer);
	chain_push(&below, next.layer);
	making->record.layers = below;
	if (!other)
		after.layers = below;
	after.mounted_layers.count = 0;
	return commit(&next, making, &after);
}

int make_cold(struct making *making, const struct record *record, const struct going_on *other)
{
	int r = is_unchanged(making, record);

	if (r < 0)
		return r;
	return r > 0 ? point(making, record, other) : rename_top(making, record, other);
}
