/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "references.h"

#include <fcntl.h>

#include "../container/next.h"
#include "../util/array.h"

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

static int add_record(struct lb_context *ctx, const char *name, const struct record *record,
		      struct references *references)
{
	struct reference *mounted;

	if (!add(references, name, "", &record->layers, record->base, record->generation))
		return fail_memory(ctx);
	if (!record->mounted_layers.count)
		return 0;
	mounted = add(references, name, "", &record->mounted_layers, record->base, record->generation);
	if (!mounted)
		return fail_memory(ctx);
	mounted->mounted = true;
	return 0;
}

static int add_snapshots(struct lb_context *ctx, int container_fd, const char *name, struct references *references)
{
	CLEANUP_TEXT_LIST struct text_list labels = { 0 };
	int r = snapshot_list_labels(ctx, container_fd, name, &labels);

	for (size_t i = 0; r == 0 && i < labels.count; i++) {
		struct snapshot_record record;

		r = snapshot_read(ctx, container_fd, name, labels.items[i], &record);
		if (r == -LB_ERR_NO_SNAPSHOT) { /* deleted meanwhile */
			r = 0;
			continue;
		}
		if (r < 0)
			return r;
		if (!add(references, name, labels.items[i], &record.layers, record.base, record.generation))
			r = fail_memory(ctx);
		snapshot_record_free(&record);
	}
	return r;
}

int references_collect_of(struct lb_context *ctx, int container_fd, const char *name, struct references *references)
{
	struct record record = { 0 };
	/* What a committed change brings along, until it has its place; first, since it may come there meanwhile. */
	int r = next_read(ctx, container_fd, name, &record);

	if (r == 0)
		r = add_record(ctx, name, &record, references);
	record_free(&record);
	if (r < 0)
		return r;
	record = (struct record){ 0 };
	r = record_read(ctx, container_fd, name, &record);
	if (r == 0)
		r = add_record(ctx, name, &record, references);
	record_free(&record);
	return r < 0 ? r : add_snapshots(ctx, container_fd, name, references);
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
