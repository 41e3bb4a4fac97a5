/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "packages.h"

#include "depends.h"
#include "package-row.h"

/* Whether dpkg has work left that only it can finish; pending triggers do not count. */
static bool is_broken(const struct package *package)
{
	if (!package)
		return false;
	return package->reinstall || package->state == PACKAGE_HALF_INSTALLED || package->state == PACKAGE_UNPACKED ||
	       package->state == PACKAGE_HALF_CONFIGURED;
}

static int refuse_broken(const struct package *package, char *error, size_t error_size)
{
	bool again = package->reinstall || package->state == PACKAGE_HALF_INSTALLED;
	const char *what = package->reinstall ? "to be installed again" : package_state_name(package->state);
	struct slice name = package->fields[FIELD_NAME];

	if (package->whose == PACKAGE_NEW)
		snprintf(error, error_size, "package %.*s of the new base is %s; upgrade the base once more",
			 SLICE_ARGS(name), what);
	else if (again)
		snprintf(error, error_size,
			 "package %.*s in the container is %s; run `apt-get install --reinstall %.*s` in it first",
			 SLICE_ARGS(name), what, SLICE_ARGS(name));
	else
		snprintf(error, error_size,
			 "package %.*s in the container is %s; run `dpkg --configure -a` in it first", SLICE_ARGS(name),
			 what);
	return -EINVAL;
}

/* What is broken just as in the old base has always been so, and is nobody's to mend before this. */
static int check_whole(const struct package_row *row, char *error, size_t error_size)
{
	const struct package *const both[] = { row->own, row->new };

	for (size_t i = 0; i < 2; i++) {
		const struct package *package = both[i], *old = row->old;

		if (is_broken(package) && !(old && old->state == package->state &&
					    old->reinstall == package->reinstall && package_same_version(old, package)))
			return refuse_broken(package, error, error_size);
	}
	return 0;
}

static bool has_any(const struct package_db *db)
{
	for (size_t i = 0; i < db->count; i++)
		if (package_installed(db->packages + i))
			return true;
	return false;
}

/* A file that a crash has emptied would else look like an owner who has removed everything. */
static int check_not_lost(const struct package_db dbs[PACKAGE_WHOSE_COUNT], char *error, size_t error_size)
{
	if (!has_any(dbs + PACKAGE_OLD) || has_any(dbs + PACKAGE_OWN))
		return 0;
	snprintf(error, error_size,
		 "the container's package database, var/lib/dpkg/status, has no package in it, while its base has; "
		 "bring it back in the container (dpkg keeps the one before as status-old)");
	return -EINVAL;
}

static int read_all(const struct three_texts *status, const char *fetched, struct package_db dbs[PACKAGE_WHOSE_COUNT],
		    char *error, size_t error_size)
{
	int r = package_db_read(status->old, PACKAGE_OLD, dbs + PACKAGE_OLD, error, error_size);

	if (r == 0)
		r = package_db_read(status->new, PACKAGE_NEW, dbs + PACKAGE_NEW, error, error_size);
	if (r == 0)
		r = package_db_read(status->own, PACKAGE_OWN, dbs + PACKAGE_OWN, error, error_size);
	if (r == 0)
		r = package_db_read(fetched, PACKAGE_FETCHED, dbs + PACKAGE_FETCHED, error, error_size);
	return r == 0 ? check_not_lost(dbs, error, error_size) : r;
}

/* A container for one architecture does not become one for another. */
static struct slice find_native(const struct package_db dbs[PACKAGE_WHOSE_COUNT], struct report *report)
{
	struct slice own = package_db_native(dbs + PACKAGE_OWN), new = package_db_native(dbs + PACKAGE_NEW);

	if (own.length && new.length && !slice_equal(own, new))
		report_add(
			report, LB_REBASE_PACKAGE, LB_REBASE_CONFLICT, "dpkg",
			"dpkg of the container is for %.*s, that of the new base for %.*s; choose a base for the same",
			SLICE_ARGS(own), SLICE_ARGS(new));
	if (own.length)
		return own;
	return new.length ? new : package_db_native(dbs + PACKAGE_OLD);
}

static int sort_all(struct package_db dbs[PACKAGE_WHOSE_COUNT], struct slice native, char *error, size_t error_size)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < PACKAGE_WHOSE_COUNT; i++)
		r = package_db_sort(dbs + i, native, error, error_size);
	return r;
}

/* Another version than it has, that is: else it would be of no use. */
static const struct package *find_fetched(const struct package_row *row, const struct package_db *db)
{
	const struct package *fetched = package_row_is_fetchable(row) ? package_db_find(db, row->own) : NULL;

	return fetched && !package_same_version(fetched, row->own) ? fetched : NULL;
}

static int judge_all(struct package_rows *rows, const struct package_db *fetched, char *error, size_t error_size)
{
	for (size_t i = 0; i < rows->count; i++) {
		struct package_row *row = rows->rows + i;
		int r = check_whole(row, error, error_size);

		if (r < 0)
			return r;
		package_row_judge(row);
		row->fetched = find_fetched(row, fetched);
	}
	return 0;
}

static void say_all(const struct package_rows *rows, enum packages_fetch fetch, struct report *report)
{
	for (size_t i = 0; i < rows->count; i++)
		if (rows->rows[i].differs)
			package_row_say(rows->rows + i, fetch, report);
}

static void free_dbs(struct package_db (*dbs)[PACKAGE_WHOSE_COUNT])
{
	for (size_t i = 0; i < PACKAGE_WHOSE_COUNT; i++)
		package_db_free(*dbs + i);
}

int packages_merge_fetching(const struct three_texts *status, enum packages_fetch fetch, const char *fetched,
			    struct report *report, struct package_merge *ret_merge, char *error, size_t error_size)
{
	CLEANUP(free_dbs) struct package_db dbs[PACKAGE_WHOSE_COUNT] = { 0 };
	CLEANUP(package_rows_free) struct package_rows rows = { 0 };
	CLEANUP(package_merge_free) struct package_merge merge = { 0 };
	struct slice native;
	int r = read_all(status, fetched, dbs, error, error_size);

	if (r < 0)
		return r;
	native = find_native(dbs, report);
	r = sort_all(dbs, native, error, error_size);
	if (r == 0)
		r = package_rows_make(dbs, &rows);
	if (r == 0)
		r = judge_all(&rows, dbs + PACKAGE_FETCHED, error, error_size);
	if (r == 0)
		r = depends_check(dbs, &rows, native, fetch, report, &merge, error, error_size);
	if (r == 0)
		say_all(&rows, fetch, report);
	if (r == 0)
		r = package_rows_decide(&rows, &merge);
	if (r == 0 && (status->new || status->own)) {
		merge.status = package_rows_write(&rows);
		r = merge.status ? 0 : -ENOMEM;
	}
	if (r < 0)
		return r;
	*ret_merge = merge;
	merge = (struct package_merge){ 0 };
	return 0;
}

int packages_merge(const struct three_texts *status, struct report *report, struct package_merge *ret_merge,
		   char *error, size_t error_size)
{
	return packages_merge_fetching(status, PACKAGES_FETCH_NOT, NULL, report, ret_merge, error, error_size);
}
