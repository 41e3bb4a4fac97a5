/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One package in three databases, while they are merged: what packages_merge() hands from step to step. */
#pragma once

#include "package-db.h"
#include "packages.h"

struct package_row {
	const struct package *old, *new, *own; /* NULL where there is no stanza */
	const struct package *fetched; /* what the container's own will be brought to; NULL: nothing */
	enum package_side side;
	bool held;
	bool differs;                 /* not the same in all three */
	bool wanted;                  /* the container's own, and shall be brought to a version that fits */
	const struct package *result; /* whose stanza the merged database has; NULL: none */
};

struct package_rows {
	struct package_row *rows;     /* by name, then architecture */
	size_t count;
};

/* What is there of a package. */
enum package_presence {
	PACKAGE_ABSENT,
	PACKAGE_REMOVED,              /* but for its configuration files */
	PACKAGE_PRESENT,
};

static inline enum package_presence package_presence(const struct package *package)
{
	if (package_installed(package))
		return PACKAGE_PRESENT;
	return package && package->state == PACKAGE_CONFIG_FILES ? PACKAGE_REMOVED : PACKAGE_ABSENT;
}

/* Rows of three databases that are sorted. -ENOMEM */
int package_rows_make(const struct package_db dbs[PACKAGE_WHOSE_COUNT], struct package_rows *ret_rows);

void package_rows_free(struct package_rows *rows);

/* Whose version counts: side, held, differs, result. */
void package_row_judge(struct package_row *row);

/* As much of it, in the same version. NULL is allowed. */
bool package_same(const struct package *a, const struct package *b);

/* An item for a row that differs. */
void package_row_say(const struct package_row *row, enum packages_fetch fetch, struct report *report);

/*
 * Whether it is the container's alone, installed and not held: it may be brought to another version. Of a row that is
 * judged.
 */
bool package_row_is_fetchable(const struct package_row *row);

/*
 * Besides the rows that are wanted already, those whose packages were built from the same source as one of them, or as
 * one of
 * @breakers, packages of the new base. Adds all that are not fetched to @merge->wanted, those that are to
 * @merge->fetched. -ENOMEM
 */
int package_rows_want(const struct package_rows *rows, const struct package *const *breakers, size_t breaker_count,
		      struct package_merge *merge);

/* The merged var/lib/dpkg/status; NULL without memory. */
char *package_rows_write(const struct package_rows *rows);

/* Fills the decisions in; -ENOMEM, with what there is of them in @merge. */
int package_rows_decide(const struct package_rows *rows, struct package_merge *merge);
