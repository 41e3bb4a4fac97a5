/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "provisions.h"

#include <errno.h>
#include <stdlib.h>

#include "../util/array.h"

static int add(struct provisions *provisions, struct slice name, struct slice version, const struct package *package)
{
	struct provision *items =
		array_grow(provisions->items, provisions->count, &provisions->capacity, sizeof *items);

	if (!items)
		return -ENOMEM;
	provisions->items = items;
	provisions->items[provisions->count++] =
		(struct provision){ .name = name, .version = version, .package = package };
	return 0;
}

int provisions_add(struct provisions *provisions, const struct package *package)
{
	struct slice rest = package->fields[FIELD_PROVIDES], part;
	struct relation provided;
	int r;

	if (!package_installed(package))
		return 0;
	r = add(provisions, package->fields[FIELD_NAME], package->fields[FIELD_VERSION], package);
	while (r == 0 && slice_split(&rest, ',', &part))
		if (relation_read(part, &provided))
			r = add(provisions, provided.name, provided.version, package);
	return r;
}

static int order_provisions(const void *left, const void *right)
{
	const struct provision *a = left, *b = right;

	return slice_compare(a->name, b->name);
}

void provisions_sort(struct provisions *provisions)
{
	if (provisions->count)
		qsort(provisions->items, provisions->count, sizeof *provisions->items, order_provisions);
}

void provisions_free(struct provisions *provisions)
{
	free(provisions->items);
	*provisions = (struct provisions){ 0 };
}

const struct provision *provisions_find(const struct provisions *provisions, struct slice name)
{
	size_t low = 0, high = provisions->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (slice_compare(provisions->items[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == provisions->count || !slice_equal(provisions->items[low].name, name))
		return NULL;
	return provisions->items + low;
}
