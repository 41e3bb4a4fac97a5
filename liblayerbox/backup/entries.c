/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "entries.h"

#include "../util/array.h"

struct load {
	struct lb_context *ctx;
	struct backup_entries *entries;
};

static void entry_free(struct backup_entry *entry)
{
	free(entry->id);
	free(entry->full_id);
	free(entry->host);
	free(entry->base);
}

void backup_entries_free(struct backup_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		entry_free(&entries->items[i]);
	free(entries->items);
	*entries = (struct backup_entries){ 0 };
}

/* Others may write to the repository, too: what they say is shown at terminals. */
static char *copy_shown(const char *text)
{
	char *copy = strdup(text);

	return copy ? text_printable(copy) : NULL;
}

static int on_snapshot(const struct restic_snapshot *snapshot, void *userdata)
{
	struct load *load = userdata;
	struct backup_entries *entries = load->entries;
	const char *container = restic_tag_value(snapshot, BACKUP_TAG_CONTAINER);
	const char *base = restic_tag_value(snapshot, BACKUP_TAG_BASE);
	struct backup_entry entry = { .created = snapshot->time,
				      .with_base = text_list_has(&snapshot->tags, BACKUP_TAG_WITH_BASE) };
	struct backup_entry *items;

	if (!container || !name_is_valid(container))
		return 0;
	items = array_grow(entries->items, entries->count, &entries->capacity, sizeof *items);
	if (!items)
		return fail_memory(load->ctx);
	entries->items = items;
	text_copy(entry.container, sizeof entry.container, container);
	entry.id = copy_shown(snapshot->id);
	entry.full_id = strdup(snapshot->full_id);
	entry.host = copy_shown(snapshot->host);
	entry.base = copy_shown(base ? base : "");
	if (!entry.id || !entry.full_id || !entry.host || !entry.base) {
		entry_free(&entry);
		return fail_memory(load->ctx);
	}
	items[entries->count++] = entry;
	return 0;
}

static int by_container_and_time(const void *a, const void *b)
{
	const struct backup_entry *x = a, *y = b;
	int order = strcmp(x->container, y->container);

	return order ? order : x->created < y->created ? -1 : x->created > y->created;
}

int backup_entries_load(struct lb_context *ctx, const struct restic *restic, const char *container,
			struct backup_entries *ret_entries)
{
	CLEANUP_BACKUP_ENTRIES struct backup_entries entries = { 0 };
	struct load load = { .ctx = ctx, .entries = &entries };
	CLEANUP_FREE char *tags =
		container ? text_format(BACKUP_TAG "," BACKUP_TAG_CONTAINER "%s", container) : strdup(BACKUP_TAG);
	int r;

	if (!tags)
		return fail_memory(ctx);
	r = restic_list(ctx, restic, tags, on_snapshot, &load);
	if (r < 0)
		return r;
	if (entries.count)
		qsort(entries.items, entries.count, sizeof *entries.items, by_container_and_time);
	*ret_entries = entries;
	entries = (struct backup_entries){ 0 };
	return 0;
}
