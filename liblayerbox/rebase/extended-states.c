/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "packages.h"

#include "../util/array.h"
#include "../util/stanza.h"

/* One stanza: whether a package of an architecture was installed for others only. */
struct mark {
	struct slice name, architecture, stanza;
};

struct marks {
	struct mark *items;           /* by name and architecture, each once */
	size_t count, capacity;
};

static void marks_free(struct marks *marks)
{
	free(marks->items);
}

static int order_keys(const struct mark *a, const struct mark *b)
{
	int order = slice_compare(a->name, b->name);

	return order ? order : slice_compare(a->architecture, b->architecture);
}

/* Of equal ones the last in front, since that is what apt goes by. */
static int order_marks(const void *left, const void *right)
{
	const struct mark *a = left, *b = right;
	int order = order_keys(a, b);

	return order ? order : (a->stanza.data < b->stanza.data) - (a->stanza.data > b->stanza.data);
}

static int find_order(const void *left, const void *right)
{
	return order_keys(left, right);
}

static int read_mark(struct slice stanza, struct mark *mark)
{
	struct stanza_field field;
	int r;

	*mark = (struct mark){ .stanza = stanza };
	while ((r = stanza_field_next(&stanza, &field)) > 0) {
		if (stanza_field_is(&field, "Package"))
			mark->name = field.value;
		else if (stanza_field_is(&field, "Architecture"))
			mark->architecture = field.value;
	}
	return mark->name.length ? r : -EINVAL;
}

static int add_mark(struct marks *marks, struct slice stanza)
{
	struct mark *items = array_grow(marks->items, marks->count, &marks->capacity, sizeof *items);

	if (!items)
		return -ENOMEM;
	marks->items = items;
	return read_mark(stanza, marks->items + marks->count++);
}

static int read_marks(const char *text, struct marks *marks)
{
	struct slice stanza;
	size_t kept = 0;
	int r = 0;

	while (text && r == 0 && stanza_next(&text, &stanza))
		r = add_mark(marks, stanza);
	if (r < 0 || marks->count == 0)
		return r;
	qsort(marks->items, marks->count, sizeof *marks->items, order_marks);
	for (size_t i = 0; i < marks->count; i++)
		if (kept == 0 || order_keys(marks->items + kept - 1, marks->items + i) != 0)
			marks->items[kept++] = marks->items[i];
	marks->count = kept;
	return 0;
}

static const struct mark *find(const struct marks *marks, const struct mark *key)
{
	return marks->count ? bsearch(key, marks->items, marks->count, sizeof *marks->items, find_order) : NULL;
}

static bool same(const struct mark *a, const struct mark *b)
{
	return a == b || (a && b && slice_equal(a->stanza, b->stanza));
}

static void write_mark(struct buffer *text, const struct mark *mark)
{
	if (!mark)
		return;
	buffer_add(text, mark->stanza.data, mark->stanza.length);
	buffer_add_text(text, "\n");
}

/* In the order of apt's text, not in ours. */
static int order_places(const void *left, const void *right)
{
	const struct mark *a = left, *b = right;

	return (a->stanza.data > b->stanza.data) - (a->stanza.data < b->stanza.data);
}

static int write_marks(const struct marks *old, const struct marks *new, const struct marks *own, char **ret_text)
{
	const struct marks *const lists[] = { new, own };
	CLEANUP_BUFFER struct buffer text = { 0 };

	for (size_t l = 0; l < 2; l++) {
		CLEANUP_FREE struct mark *ordered = calloc(lists[l]->count + 1, sizeof *ordered);

		if (!ordered)
			return -ENOMEM;
		if (lists[l]->count) {
			memcpy(ordered, lists[l]->items, lists[l]->count * sizeof *ordered);
			qsort(ordered, lists[l]->count, sizeof *ordered, order_places);
		}
		for (size_t i = 0; i < lists[l]->count; i++) {
			const struct mark *was = find(old, ordered + i), *is = find(new, ordered + i);
			const struct mark *mine = find(own, ordered + i);

			if (l == 0 || !is)
				write_mark(&text, same(mine, was) ? is : mine);
		}
	}
	*ret_text = buffer_finish(&text);
	return *ret_text ? 0 : -ENOMEM;
}

int extended_states_merge(const struct three_texts *texts, char **ret_text)
{
	CLEANUP(marks_free) struct marks old = { 0 }, new = { 0 }, own = { 0 };
	int r = read_marks(texts->old, &old);

	if (r == 0)
		r = read_marks(texts->new, &new);
	if (r == 0)
		r = read_marks(texts->own, &own);
	if (r < 0)
		return r;
	if (!texts->new && !texts->own) {
		*ret_text = NULL;
		return 0;
	}
	return write_marks(&old, &new, &own, ret_text);
}
