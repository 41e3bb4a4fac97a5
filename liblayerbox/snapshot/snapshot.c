/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handles of snapshots, one or all of them. */
#include "snapshot.h"

#include <fcntl.h>
#include <stdio.h>

#include "../adapters/rights.h"
#include "../core/store.h"
#include "../util/array.h"
#include "../util/tree.h"
#include "layer.h"
#include "make.h"

int snapshot_make_handle(struct lb_context *ctx, const char *container, const char *label,
			 struct snapshot_record *record, struct lb_snapshot **ret_snapshot)
{
	struct lb_snapshot *snapshot = calloc(1, sizeof *snapshot);

	if (!snapshot) {
		snapshot_record_free(record);
		return fail_memory(ctx);
	}
	snapshot->ctx = ctx;
	snapshot->record = *record;
	*record = (struct snapshot_record){ 0 };
	text_copy(snapshot->container, sizeof snapshot->container, container);
	text_copy(snapshot->label, sizeof snapshot->label, label);
	snprintf(snapshot->base_text, sizeof snapshot->base_text, "%s@%u", snapshot->record.base,
		 snapshot->record.generation);
	*ret_snapshot = snapshot;
	return 0;
}

static int open_one(struct lb_context *ctx, int container_fd, const char *container, const char *label,
		    struct lb_snapshot **ret_snapshot)
{
	struct snapshot_record record;
	int r = snapshot_read(ctx, container_fd, container, label, &record);

	return r < 0 ? r : snapshot_make_handle(ctx, container, label, &record, ret_snapshot);
}

/* Its directory, for reading without a lock. */
static int open_container(struct lb_context *ctx, const char *name)
{
	int r = name_check(ctx, "container", name);

	if (r == 0)
		r = rights_require_root(ctx);
	return r < 0 ? r : record_open_directory(ctx, name);
}

int lb_snapshot_open(struct lb_context *ctx, const char *container, const char *label,
		     struct lb_snapshot **ret_snapshot)
{
	CLEANUP_FD int fd = open_container(ctx, container);

	return fd < 0 ? fd : open_one(ctx, fd, container, label, ret_snapshot);
}

void lb_snapshot_free(struct lb_snapshot *snapshot)
{
	if (!snapshot)
		return;
	snapshot_record_free(&snapshot->record);
	free(snapshot);
}

void snapshot_cleanup(struct lb_snapshot **snapshot)
{
	lb_snapshot_free(*snapshot);
}

void lb_snapshot_list_free(struct lb_snapshot **snapshots)
{
	for (size_t i = 0; snapshots && snapshots[i]; i++)
		lb_snapshot_free(snapshots[i]);
	free(snapshots);
}

struct list {
	struct lb_snapshot **items;
	size_t count, capacity;
};

static int by_age(const void *a, const void *b)
{
	const struct lb_snapshot *const *x = a, *const *y = b;

	if ((*x)->record.created != (*y)->record.created)
		return (*x)->record.created < (*y)->record.created ? -1 : 1;
	return strcmp((*x)->label, (*y)->label);
}

/* With room for one that ends the array. */
static int add(struct lb_context *ctx, struct list *list, struct lb_snapshot *snapshot)
{
	struct lb_snapshot **items = array_grow(list->items, list->count + 1, &list->capacity, sizeof *items);

	if (!items) {
		lb_snapshot_free(snapshot);
		return fail_memory(ctx);
	}
	list->items = items;
	items[list->count++] = snapshot;
	items[list->count] = NULL;
	return 0;
}

static int add_all_of(struct lb_context *ctx, int container_fd, const char *container, struct list *list)
{
	CLEANUP_TEXT_LIST struct text_list labels = { 0 };
	size_t first = list->count;
	int r = snapshot_list_labels(ctx, container_fd, container, &labels);

	for (size_t i = 0; r >= 0 && i < labels.count; i++) {
		struct lb_snapshot *snapshot;

		r = open_one(ctx, container_fd, container, labels.items[i], &snapshot);
		if (r == 0)
			r = add(ctx, list, snapshot);
		else if (r == -LB_ERR_NO_SNAPSHOT) /* deleted meanwhile */
			r = 0;
		else if (r == -LB_ERR_BAD_CONFIG) {
			log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
			r = 0;
		}
	}
	if (list->count > first)
		qsort(list->items + first, list->count - first, sizeof *list->items, by_age);
	return r;
}

static int add_all(struct lb_context *ctx, struct list *list)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int containers_fd = record_open_all(ctx, &names);
	int r = containers_fd < 0 ? containers_fd : 0;

	for (size_t i = 0; r == 0 && i < names.count; i++) {
		CLEANUP_FD int fd =
			openat(containers_fd, names.items[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0)
			r = add_all_of(ctx, fd, names.items[i], list);
	}
	return r;
}

int lb_snapshot_list(struct lb_context *ctx, const char *container, struct lb_snapshot ***ret_snapshots,
		     size_t *ret_count)
{
	CLEANUP_FD int fd = container ? open_container(ctx, container) : -1;
	struct list list = { 0 };
	int r = container && fd < 0 ? fd : rights_require_root(ctx);

	if (r == 0)
		r = container ? add_all_of(ctx, fd, container, &list) : add_all(ctx, &list);
	if (r == 0 && !list.items) {
		list.items = calloc(1, sizeof *list.items);
		r = list.items ? 0 : fail_memory(ctx);
	}
	if (r < 0) {
		lb_snapshot_list_free(list.items);
		return r;
	}
	*ret_snapshots = list.items;
	if (ret_count)
		*ret_count = list.count;
	return 0;
}

const char *lb_snapshot_get_container(const struct lb_snapshot *snapshot)
{
	return snapshot->container;
}

const char *lb_snapshot_get_label(const struct lb_snapshot *snapshot)
{
	return snapshot->label;
}

const char *lb_snapshot_get_comment(const struct lb_snapshot *snapshot)
{
	return snapshot->record.comment;
}

const char *lb_snapshot_get_base(const struct lb_snapshot *snapshot)
{
	return snapshot->base_text;
}

int64_t lb_snapshot_get_created(const struct lb_snapshot *snapshot)
{
	return snapshot->record.created;
}

int64_t lb_snapshot_get_expires(const struct lb_snapshot *snapshot)
{
	return snapshot->record.expires;
}

bool lb_snapshot_get_scheduled(const struct lb_snapshot *snapshot)
{
	return snapshot->record.scheduled;
}

bool lb_snapshot_get_live(const struct lb_snapshot *snapshot)
{
	return snapshot->record.live;
}

uint64_t lb_snapshot_get_frozen_us(const struct lb_snapshot *snapshot)
{
	return snapshot->record.frozen_us;
}

const char *lb_snapshot_get_layer(const struct lb_snapshot *snapshot)
{
	return snapshot->record.layers.count ? snapshot->record.layers.ids[0] : "";
}

size_t lb_snapshot_get_layers(const struct lb_snapshot *snapshot)
{
	return snapshot->record.layers.count;
}

int lb_snapshot_get_bytes(const struct lb_snapshot *snapshot, uint64_t *ret_bytes)
{
	CLEANUP_FD int fd = -1;
	int r;

	*ret_bytes = 0;
	if (!snapshot->record.layers.count)
		return 0;
	fd = layer_open(snapshot->ctx, snapshot->record.layers.ids[0]);
	if (fd < 0)
		return fd;
	r = tree_disk_usage(fd, LAYER_TREE, ret_bytes);
	return r < 0 ? fail_errno(snapshot->ctx, r, "cannot look at layer %s", snapshot->record.layers.ids[0]) : 0;
}
