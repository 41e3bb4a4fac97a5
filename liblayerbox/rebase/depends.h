/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a merged database is consistent: dependencies, conflicts, and packages of two architectures. */
#pragma once

#include "package-row.h"

/*
 * Adds a conflict to @report for each relation that holds no more. Where it was broken before it is none: in the
 * container, for what its packages asked for already, else in the new base. Nor, with PACKAGES_FETCH_ANY, where a
 * package of the container's own has a part in it, which then is in @merge->wanted: see package_rows_want(). 0,
 * -ENOMEM, or -EINVAL with a sentence for a database that was made to keep us busy.
 */
int depends_check(const struct package_db dbs[PACKAGE_WHOSE_COUNT], const struct package_rows *rows,
		  struct slice native, enum packages_fetch fetch, struct report *report, struct package_merge *merge,
		  char *error, size_t error_size);
