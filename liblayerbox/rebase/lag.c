/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far containers are behind their bases. */
#include <stdio.h>

#include "../container/record.h"
#include "package-changes.h"

/* What lies between one generation and the newest of its base: many containers have the same. */
struct distance {
	char base[NAME_LENGTH_MAX + 1];
	unsigned generation, newest;
	struct package_changes changes;
};

struct distances {
	struct distance *items;
	size_t count;
};

static void distances_free(struct distances *distances)
{
	for (size_t i = 0; i < distances->count; i++)
		package_changes_free(&distances->items[i].changes);
	free(distances->items);
}

/* Measures it once. NULL after a failure, which is told: a base that is damaged or gone. */
static const struct distance *find(struct lb_context *ctx, struct distances *distances, const struct record *record)
{
	struct distance *items, distance = { .generation = record->generation };
	struct lb_base *base;

	for (size_t i = 0; i < distances->count; i++)
		if (text_equal(distances->items[i].base, record->base) &&
		    distances->items[i].generation == record->generation)
			return &distances->items[i];
	items = reallocarray(distances->items, distances->count + 1, sizeof *items);
	if (!items) {
		fail_memory(ctx);
		return NULL;
	}
	distances->items = items;
	text_copy(distance.base, sizeof distance.base, record->base);
	if (base_open(ctx, record->base, &base) < 0)
		return NULL;
	distance.newest = base->generation;
	lb_base_free(base);
	if (package_changes_load(ctx, record->base, record->generation, distance.newest, &distance.changes) < 0)
		return NULL;
	items[distances->count] = distance;
	return &items[distances->count++];
}

static void tell(const struct record_entry *entry, const struct distance *distance, lb_lag_fn fn, void *userdata)
{
	const struct lb_lag lag = {
		.size = sizeof lag,
		.container = entry->name,
		.base = entry->record.base,
		.generation = entry->record.generation,
		.newest = distance->newest,
		.behind_since = distance->changes.since,
		.packages = (unsigned)distance->changes.packages.count,
		.security = (unsigned)distance->changes.security.count,
		.pending = *entry->record.rebase_to,
		.unconfirmed = *entry->record.rebased_from,
	};

	fn(&lag, userdata);
}

int lb_lags(struct lb_context *ctx, lb_lag_fn fn, void *userdata)
{
	CLEANUP(distances_free) struct distances distances = { 0 };
	struct record_entry *entries;
	size_t count;
	int r = record_list_all(ctx, false, &entries, &count);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		const struct distance *distance = find(ctx, &distances, &entries[i].record);

		if (distance)
			tell(&entries[i], distance, fn, userdata);
		else
			log_message(ctx, LB_LOG_WARNING, "container '%s' is left out: %s", entries[i].name, ctx->error);
	}
	record_list_free(entries, count);
	return 0;
}
