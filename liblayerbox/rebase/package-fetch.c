/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which packages of the container's own go to another version together: libc6-dev wants the very version that the
 * base's libc6 has, libc-dev-bin that of libc6-dev. All of them were built from one source.
 */
#include "package-row.h"

#include "../util/text.h"

#include <errno.h>

/* A source, and the version that the new base's packages of it have. */
struct source {
	struct slice name, version;
};

struct sources {
	struct source *items;
	size_t count;
};

bool package_row_is_fetchable(const struct package_row *row)
{
	return row->side == PACKAGE_TOP && package_installed(row->own) && !package_installed(row->new) &&
	       !slice_is(row->own->want, "hold");
}

/* `Source: glibc (2.36-9)`, or the package's own name where that field is not there. */
static struct slice source_of(const struct package *package)
{
	struct slice source = package->fields[FIELD_SOURCE];

	if (source.length == 0)
		return package->fields[FIELD_NAME];
	return slice_head(source, slice_until(source, ' '));
}

static int order(const void *left, const void *right)
{
	const struct source *a = left, *b = right;

	return slice_compare(a->name, b->name);
}

static struct source *find(const struct sources *sources, const struct package *package)
{
	const struct source key = { .name = source_of(package) };

	return sources->count ? bsearch(&key, sources->items, sources->count, sizeof key, order) : NULL;
}

static int collect(const struct package_rows *rows, const struct package *const *breakers, size_t breaker_count,
		   struct sources *sources)
{
	sources->items = calloc(rows->count + breaker_count + 1, sizeof *sources->items);
	if (!sources->items)
		return -ENOMEM;
	for (size_t i = 0; i < rows->count; i++)
		if (rows->rows[i].wanted || rows->rows[i].fetched)
			sources->items[sources->count++].name = source_of(rows->rows[i].own);
	for (size_t i = 0; i < breaker_count; i++)
		sources->items[sources->count++].name = source_of(breakers[i]);
	if (sources->count)
		qsort(sources->items, sources->count, sizeof *sources->items, order);
	for (size_t i = 0; i < rows->count; i++) {
		const struct package *package = rows->rows[i].new;
		struct source *source = package_installed(package) ? find(sources, package) : NULL;

		if (source && source->version.length == 0)
			source->version = package->fields[FIELD_VERSION];
	}
	return 0;
}

static int add(const struct package *package, struct slice version, struct text_list *list)
{
	return text_list_format(list, "%.*s%s%.*s%s%.*s", SLICE_ARGS(package->fields[FIELD_NAME]),
				package->foreign.length ? ":" : "", SLICE_ARGS(package->foreign),
				version.length ? "=" : "", SLICE_ARGS(version));
}

int package_rows_want(const struct package_rows *rows, const struct package *const *breakers, size_t breaker_count,
		      struct package_merge *merge)
{
	struct sources sources = { 0 };
	int r = collect(rows, breakers, breaker_count, &sources);

	for (size_t i = 0; r == 0 && i < rows->count; i++) {
		struct package_row *row = rows->rows + i;
		const struct source *source = package_row_is_fetchable(row) ? find(&sources, row->own) : NULL;

		if (!source)
			continue;
		row->wanted = true;
		r = row->fetched ? add(row->own, (struct slice){ 0 }, &merge->fetched)
				 : add(row->own, source->version, &merge->wanted);
	}
	free(sources.items);
	return r;
}
