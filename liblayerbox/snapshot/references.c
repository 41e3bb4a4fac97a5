/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "references.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "../container/next.h"
#include "../util/array.h"

/* Nobody changes a container faster than it is read. */
enum { TRIES = 50 };

void references_free(struct references *references)
{
	free(references->items);
	*references = (struct references){ 0 };
}

static struct reference *add(struct references *references, const char *container, const char *label,
			     const struct chain *chain, const char *base, unsigned generation)
{
	struct reference *items =
		array_grow(references->items, references->count, &references->capacity, sizeof *references->items);
	struct reference *item;

	if (!items)
		return NULL;
	references->items = items;
	item = &items[references->count++];
	*item = (struct reference){ .chain = *chain, .generation = generation };
	text_copy(item->container, sizeof item->container, container);
	text_copy(item->label, sizeof item->label, label);
	text_copy(item->base, sizeof item->base, base);
	return item;
}

/* A generation that the container may go to, or back to, by a rebase. */
static int add_rebase(struct lb_context *ctx, const char *name, const char *base_text, struct references *references)
{
	const struct chain none = { 0 };
	char base[NAME_LENGTH_MAX + 1];
	struct reference *item;
	unsigned generation;

	if (!name_parse_base(base_text, base, &generation))
		return 0;
	item = add(references, name, "", &none, base, generation);
	if (!item)
		return fail_memory(ctx);
	item->rebase = true;
	return 0;
}

static int add_record(struct lb_context *ctx, const char *name, const struct record *record,
		      struct references *references)
{
	struct reference *mounted;
	int r;

	if (!add(references, name, "", &record->layers, record->base, record->generation))
		return fail_memory(ctx);
	r = add_rebase(ctx, name, record->rebased_from, references);
	if (r == 0)
		r = add_rebase(ctx, name, record->rebase_to, references);
	if (r < 0 || !record->mounted_layers.count)
		return r;
	mounted = add(references, name, "", &record->mounted_layers, record->base, record->generation);
	if (!mounted)
		return fail_memory(ctx);
	mounted->mounted = true;
	return 0;
}

/*
 * What a committed change brings along. The old top layer may be a layer by now, with its snapshot not in its place
 * yet.
 */
static int add_next(struct lb_context *ctx, int container_fd, const char *name, struct references *references)
{
	CLEANUP_NEXT_CONTENT struct next_content content = { 0 };
	struct chain old_top = { 0 };
	size_t first = references->count;
	int r = next_read(ctx, container_fd, name, &content);

	if (r != 0)
		return r < 0 ? r : 0;
	if (content.has_record)
		r = add_record(ctx, name, &content.record, references);
	if (r == 0 && content.has_snapshot &&
	    !add(references, name, content.label, &content.snapshot.layers, content.snapshot.base,
		 content.snapshot.generation))
		r = fail_memory(ctx);
	if (r == 0 && *content.layer) {
		chain_push(&old_top, content.layer);
		if (!add(references, name, content.label, &old_top, "", 0))
			r = fail_memory(ctx);
	}
	for (size_t i = first; i < references->count; i++)
		references->items[i].next = true;
	return r;
}

/* 1 where one is gone that was there: it may have another label now. */
static int add_snapshots(struct lb_context *ctx, int container_fd, const char *name, const struct text_list *labels,
			 struct references *references)
{
	for (size_t i = 0; i < labels->count; i++) {
		struct snapshot_record record;
		bool added;
		int r = snapshot_read(ctx, container_fd, name, labels->items[i], &record);

		if (r < 0)
			return r == -LB_ERR_NO_SNAPSHOT ? 1 : r;
		added = add(references, name, labels->items[i], &record.layers, record.base, record.generation);
		snapshot_record_free(&record);
		if (!added)
			return fail_memory(ctx);
	}
	return 0;
}

/* What another command, whose lock we do not have, changes in a container's directory that matters here. */
struct view {
	struct text_list labels;
	struct stat record;
};

#define CLEANUP_VIEW CLEANUP(view_free)

static void view_free(struct view *view)
{
	text_list_free(&view->labels);
}

static int view_take(struct lb_context *ctx, int container_fd, const char *name, struct view *ret_view)
{
	if (fstatat(container_fd, RECORD_FILE, &ret_view->record, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? fail_no_container(ctx, name)
				       : fail_errno(ctx, errno, "cannot look at the record of container '%s'", name);
	return snapshot_list_labels(ctx, container_fd, name, &ret_view->labels);
}

static bool views_equal(const struct view *a, const struct view *b)
{
	bool equal = a->labels.count == b->labels.count && a->record.st_ino == b->record.st_ino &&
		     a->record.st_ctim.tv_sec == b->record.st_ctim.tv_sec &&
		     a->record.st_ctim.tv_nsec == b->record.st_ctim.tv_nsec;

	for (size_t i = 0; equal && i < a->labels.count; i++)
		equal = text_equal(a->labels.items[i], b->labels.items[i]);
	return equal;
}

/* 1 where what was read is not of one moment. */
static int try_to_collect(struct lb_context *ctx, int container_fd, const char *name, struct references *references)
{
	CLEANUP_VIEW struct view before = { 0 };
	CLEANUP_VIEW struct view after = { 0 };
	struct record record = { 0 };
	int r = view_take(ctx, container_fd, name, &before);

	/* First what has yet to come to its place, since it may come there meanwhile. */
	if (r == 0)
		r = add_next(ctx, container_fd, name, references);
	if (r == 0)
		r = record_read(ctx, container_fd, name, &record);
	if (r < 0)
		return r;
	r = add_record(ctx, name, &record, references);
	record_free(&record);
	if (r == 0)
		r = add_snapshots(ctx, container_fd, name, &before.labels, references);
	if (r == 0)
		r = view_take(ctx, container_fd, name, &after);
	return r != 0 ? r : !views_equal(&before, &after);
}

int references_collect_of(struct lb_context *ctx, int container_fd, const char *name, struct references *references)
{
	size_t first = references->count;

	for (int i = 0; i < TRIES; i++) {
		int r = try_to_collect(ctx, container_fd, name, references);

		if (r <= 0)
			return r;
		references->count = first;
	}
	return fail(ctx, -LB_ERR_BUSY, "snapshots of container '%s' come and go all the time; try again", name);
}

int references_collect(struct lb_context *ctx, struct references *ret_references)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_REFERENCES struct references references = { 0 };
	CLEANUP_FD int containers_fd = record_open_all(ctx, &names);

	if (containers_fd < 0)
		return containers_fd;
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP_FD int fd =
			openat(containers_fd, names.items[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int r = fd < 0 ? -LB_ERR_NO_CONTAINER : references_collect_of(ctx, fd, names.items[i], &references);

		/* A deletion, which holds no lock of the root's, may come in between. */
		if (r == -LB_ERR_NO_CONTAINER &&
		    faccessat(containers_fd, names.items[i], F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (r < 0)
			return r;
	}
	*ret_references = references;
	references = (struct references){ 0 };
	return 0;
}

bool references_name(const struct references *references, const char *id)
{
	for (size_t i = 0; i < references->count; i++)
		if (chain_has(&references->items[i].chain, id))
			return true;
	return false;
}
