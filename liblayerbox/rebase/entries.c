/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "entries.h"

#include "../util/array.h"

void entries_add(struct entries *entries, enum entry_side side, uint8_t kind, struct slice key,
		 struct slice text)
{
	struct list_entry *items = array_grow(entries->items, entries->count, &entries->capacity, sizeof *items);

	entries->failed = entries->failed || !items;
	if (!items)
		return;
	entries->items = items;
	entries->items[entries->count] = (struct list_entry){ key, text, (uint8_t)side, kind, entries->count };
	entries->count++;
}

void entries_free(struct entries *entries)
{
	free(entries->items);
	*entries = (struct entries){ 0 };
}

bool entry_same_key(const struct list_entry *a, const struct list_entry *b)
{
	return a->kind == b->kind && slice_equal(a->key, b->key);
}

static int compare_entries(const void *left, const void *right)
{
	const struct list_entry *a = left, *b = right;
	int order = (a->kind > b->kind) - (a->kind < b->kind);

	if (!order)
		order = slice_compare(a->key, b->key);
	if (!order)
		order = (a->side > b->side) - (a->side < b->side);
	return order ? order : (a->position > b->position) - (a->position < b->position);
}

void entries_sort(struct entries *entries)
{
	if (entries->count > 1)
		qsort(entries->items, entries->count, sizeof *entries->items, compare_entries);
}

/* Makes rows of @count entries of one key, which are sorted by side; returns how many. */
static size_t align_key(const struct list_entry *entries, size_t count, struct entry_row *rows)
{
	size_t filled[ENTRY_SIDES] = { 0 }, most = 0;

	for (size_t i = 0; i < count; i++) {
		size_t row = filled[entries[i].side]++;

		if (row == most)
			rows[most++] = (struct entry_row){ .kind = entries[i].kind };
		rows[row].sides[entries[i].side] = &entries[i];
	}
	return most;
}

static int compare_rows(const void *left, const void *right)
{
	static const enum entry_side order[] = { ENTRY_NEW, ENTRY_OWN, ENTRY_OLD };
	const struct entry_row *a = left, *b = right;

	for (size_t i = 0; i < ENTRY_SIDES; i++) {
		const struct list_entry *x = a->sides[order[i]], *y = b->sides[order[i]];

		if (x && y)
			return (x->position > y->position) - (x->position < y->position);
		if (x || y)
			return x ? -1 : 1;
	}
	return 0;
}

int entries_align(struct entries *entries, struct entry_row **ret_rows, size_t *ret_count)
{
	CLEANUP_FREE struct entry_row *rows = NULL;
	size_t rows_count = 0;

	if (entries->failed)
		return -ENOMEM;
	rows = calloc(entries->count + 1, sizeof *rows);
	if (!rows)
		return -ENOMEM;
	entries_sort(entries);
	for (size_t i = 0, n; i < entries->count; i += n) {
		for (n = 1; i + n < entries->count && entry_same_key(&entries->items[i], &entries->items[i + n]);)
			n++;
		rows_count += align_key(&entries->items[i], n, rows + rows_count);
	}
	if (rows_count > 1)
		qsort(rows, rows_count, sizeof *rows, compare_rows);
	*ret_rows = TAKE_PTR(rows);
	*ret_count = rows_count;
	return 0;
}

bool entries_same(const struct list_entry *a, const struct list_entry *b)
{
	return a && b ? slice_equal(a->text, b->text) : a == b;
}

const struct list_entry *entry_row_take(const struct entry_row *row)
{
	bool unchanged = entries_same(row->sides[ENTRY_OWN], row->sides[ENTRY_OLD]);

	return row->sides[unchanged ? ENTRY_NEW : ENTRY_OWN];
}

static const char *text_of(const struct three_texts *texts, enum entry_side side)
{
	return side == ENTRY_OLD ? texts->old : side == ENTRY_NEW ? texts->new : texts->own;
}

struct slice three_side(const struct three_texts *texts, enum entry_side side)
{
	const char *text = text_of(texts, side);

	return (struct slice){ text, text ? strlen(text) : 0 };
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? text_equal(a, b) : a == b;
}

bool three_take_whole(const struct three_texts *texts, const char **ret_text)
{
	if (same_text(texts->own, texts->old))
		*ret_text = texts->new;
	else if (same_text(texts->new, texts->old) || same_text(texts->new, texts->own))
		*ret_text = texts->own;
	else
		return false;
	return true;
}
