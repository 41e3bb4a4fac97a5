/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervisor.h"

#include "../util/array.h"

/* Where @name stands, or would. */
static size_t place_of(const struct items *items, const char *name, bool *ret_is_there)
{
	size_t low = 0, high = items->count;

	*ret_is_there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, items->items[middle]->policy.kept.name);

		if (order == 0)
			*ret_is_there = true;
		if (order <= 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct item *items_find(const struct items *items, const char *name)
{
	bool is_there;
	size_t at = place_of(items, name, &is_there);

	return is_there ? items->items[at] : NULL;
}

struct item *items_add(struct items *items, const char *name)
{
	bool is_there;
	size_t at = place_of(items, name, &is_there);
	struct item **all, *item;

	if (is_there)
		return items->items[at];
	all = array_grow(items->items, items->count, &items->capacity, sizeof *all);
	if (!all)
		return NULL;
	items->items = all;
	item = calloc(1, sizeof *item);
	if (!item)
		return NULL;
	text_copy(item->policy.kept.name, sizeof item->policy.kept.name, name);
	item->exit_status = POLICY_UNKNOWN;
	memmove(all + at + 1, all + at, (items->count - at) * sizeof *all);
	all[at] = item;
	items->count++;
	return item;
}

static void item_free(struct item *item)
{
	free(item->why);
	free(item);
}

void items_remove(struct items *items, struct item *item)
{
	bool is_there;
	size_t at = place_of(items, item->policy.kept.name, &is_there);

	if (!is_there)
		return;
	items->count--;
	memmove(items->items + at, items->items + at + 1, (items->count - at) * sizeof *items->items);
	item_free(item);
}

void items_free(struct items *items)
{
	for (size_t i = 0; i < items->count; i++)
		item_free(items->items[i]);
	free(items->items);
	*items = (struct items){ 0 };
}

int64_t item_wake(const struct item *item)
{
	return item->has_settings ? policy_wake(&item->policy) : 0;
}

int items_load(struct supervisor *supervisor)
{
	CLEANUP(health_status_free) struct health_status status = { 0 };

	health_status_load(supervisor->status_path, &status);
	supervisor->disk_told = status.disk_told;
	for (size_t i = 0; i < status.count; i++) {
		struct item *item = items_add(&supervisor->items, status.entries[i].name);

		if (!item)
			return -ENOMEM;
		item->policy.kept = status.entries[i];
	}
	return 0;
}

/* What there is nothing to say about need not be written. */
static bool is_worth_it(const struct health_entry *kept)
{
	return kept->pid || kept->state != HEALTH_NONE || kept->start_ms || kept->told || kept->restarts;
}

int items_save(struct supervisor *supervisor)
{
	struct health_status status = { .disk_told = supervisor->disk_told };
	int r;

	status.entries = calloc(supervisor->items.count + 1, sizeof *status.entries);
	if (!status.entries)
		return -ENOMEM;
	for (size_t i = 0; i < supervisor->items.count; i++)
		if (is_worth_it(&supervisor->items.items[i]->policy.kept))
			status.entries[status.count++] = supervisor->items.items[i]->policy.kept;
	r = health_status_save(supervisor->status_path, &status);
	health_status_free(&status);
	return r;
}
