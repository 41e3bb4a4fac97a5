/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "package-row.h"

#include "deb-version.h"

#include <errno.h>
#include <stdlib.h>

/* Takes @db's next package if that is the same as @first. */
static const struct package *take(const struct package_db *db, size_t *next, const struct package *first)
{
	const struct package *package = *next < db->count ? db->packages + *next : NULL;

	if (!package || package_order(package, first) != 0)
		return NULL;
	++*next;
	return package;
}

static const struct package *earlier(const struct package *first, const struct package_db *db, size_t next)
{
	const struct package *package = next < db->count ? db->packages + next : NULL;

	return !first || (package && package_order(package, first) < 0) ? package : first;
}

int package_rows_make(const struct package_db dbs[PACKAGE_WHOSE_COUNT], struct package_rows *ret_rows)
{
	const struct package_db *old = dbs + PACKAGE_OLD, *new = dbs + PACKAGE_NEW, *own = dbs + PACKAGE_OWN;
	struct package_rows rows = { .rows = calloc(old->count + new->count + own->count + 1, sizeof *rows.rows) };
	size_t at[PACKAGE_WHOSE_COUNT] = { 0 };
	const struct package *first;

	if (!rows.rows)
		return -ENOMEM;
	while ((first = earlier(earlier(earlier(NULL, old, at[0]), new, at[1]), own, at[2])))
		rows.rows[rows.count++] = (struct package_row){
			.old = take(old, at + 0, first),
			.new = take(new, at + 1, first),
			.own = take(own, at + 2, first),
		};
	*ret_rows = rows;
	return 0;
}

void package_rows_free(struct package_rows *rows)
{
	free(rows->rows);
	*rows = (struct package_rows){ 0 };
}

bool package_same(const struct package *a, const struct package *b)
{
	enum package_presence presence = package_presence(a);

	if (presence != package_presence(b))
		return false;
	return presence == PACKAGE_ABSENT || package_same_version(a, b);
}

static bool is_later(const struct package *a, const struct package *b)
{
	return deb_version_compare_slices(a->fields[FIELD_VERSION], b->fields[FIELD_VERSION]) > 0;
}

static bool selects_hold(const struct package *package)
{
	return package && slice_is(package->want, "hold");
}

/* By the container's owner, not by who built the base. One that is not installed can be held, too. */
static bool is_held(const struct package_row *row)
{
	return selects_hold(row->own) && !selects_hold(row->old) && !package_same(row->old, row->new);
}

static enum package_side judge_side(const struct package_row *row)
{
	if (package_same(row->own, row->new))
		return PACKAGE_BASE;
	if (is_held(row))
		return PACKAGE_TOP;
	if (package_same(row->own, row->old))
		return PACKAGE_BASE;
	if (!package_installed(row->own) || !package_installed(row->new) || package_same(row->old, row->new))
		return PACKAGE_TOP;
	return is_later(row->own, row->new) ? PACKAGE_TOP : PACKAGE_BASE;
}

/* Side base. The container's stanza stays where it is only further on than the bases', or selects what is not there. */
static const struct package *pick_stanza(const struct package_row *row)
{
	bool alike = row->old && row->new && row->old->state == row->new->state;

	if (package_presence(row->new) == PACKAGE_ABSENT)
		return package_presence(row->own) == PACKAGE_ABSENT && row->own ? row->own : row->new;
	return !row->differs && alike && row->own->state != row->old->state ? row->own : row->new;
}

void package_row_judge(struct package_row *row)
{
	row->differs = !package_same(row->old, row->new) || !package_same(row->old, row->own);
	row->side = judge_side(row);
	row->held = row->side == PACKAGE_TOP && package_installed(row->own) && is_held(row) &&
		    !(package_installed(row->new) && is_later(row->own, row->new));
	row->result = row->side == PACKAGE_TOP ? row->own : pick_stanza(row);
}
