/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "package-row.h"

#include "../util/text.h"

/* In the new base's order, what it does not have behind it in the container's. */
static int order_rows(const void *left, const void *right)
{
	const struct package_row *a = *(const struct package_row *const *)left;
	const struct package_row *b = *(const struct package_row *const *)right;
	const struct package *first = a->new ? a->new : a->result, *second = b->new ? b->new : b->result;

	if (!a->new != !b->new)
		return a->new ? -1 : 1;
	return (first->stanza.data > second->stanza.data) - (first->stanza.data < second->stanza.data);
}

/* A selection is the owner's where it is not what the old base had; without that, apt would have selected `install`. */
static struct slice merge_want(const struct package_row *row)
{
	struct slice before = package_installed(row->old) ? row->old->want : slice_of("install");

	if (!package_installed(row->own) || !package_installed(row->result) || slice_equal(row->own->want, before))
		return row->result->want;
	return row->own->want;
}

/* What other packages of the container have triggered goes on waiting when the package comes from the base. */
static struct slice merge_triggers(const struct package_row *row)
{
	bool waits = row->own &&
		     (row->own->state == PACKAGE_TRIGGERS_PENDING || row->own->state == PACKAGE_TRIGGERS_AWAITED);

	if (!waits || row->result->state != PACKAGE_INSTALLED || row->result->fields[FIELD_TRIGGERS].data)
		return (struct slice){ 0 };
	return row->own->fields[FIELD_TRIGGERS];
}

static void add_slice(struct buffer *text, struct slice slice)
{
	buffer_add(text, slice.data ? slice.data : "", slice.length);
}

/* Up to @end, from where @slice begins. */
static struct slice between(struct slice slice, const char *end)
{
	return slice_head(slice, (size_t)(end - slice.data));
}

static void write_stanza(struct buffer *text, const struct package_row *row)
{
	const struct package *package = row->result;
	struct slice want = merge_want(row), triggers = merge_triggers(row), rest = package->stanza;
	struct slice status = package->fields[FIELD_STATUS];

	if (!slice_equal(want, package->want) || triggers.length) {
		add_slice(text, between(rest, status.data));
		add_slice(text, want);
		buffer_format(text, " %s %s", package->reinstall ? "reinstreq" : "ok",
			      package_state_name(triggers.length ? PACKAGE_TRIGGERS_PENDING : package->state));
		if (triggers.length) {
			buffer_add_text(text, "\nTriggers-Pending: ");
			add_slice(text, triggers);
		}
		rest = slice_tail(rest, (size_t)(status.data + status.length - rest.data));
	}
	add_slice(text, rest);
	buffer_add_text(text, "\n");
}

char *package_rows_write(const struct package_rows *rows)
{
	CLEANUP_FREE const struct package_row **sorted = calloc(rows->count + 1, sizeof *sorted);
	CLEANUP_BUFFER struct buffer text = { 0 };
	size_t count = 0;

	if (!sorted)
		return NULL;
	for (size_t i = 0; i < rows->count; i++)
		if (rows->rows[i].result)
			sorted[count++] = rows->rows + i;
	if (count)
		qsort(sorted, count, sizeof *sorted, order_rows);
	for (size_t i = 0; i < count; i++)
		write_stanza(&text, sorted[i]);
	return buffer_finish(&text);
}
