/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "depends.h"

#include "provisions.h"
#include "../util/array.h"

#include <errno.h>

/* Ordinary databases need some ten thousand; what many packages provide and many ask for grows with the square. */
static const size_t steps_max = 20 * 1000 * 1000;

/* The sets that relations are asked of. */
enum where {
	IN_RESULT,
	IN_BASE,
	IN_CONTAINER,
	WHERE_COUNT,
};

struct check {
	const struct package_db *dbs;
	const struct package_rows *rows;
	struct slice native;
	enum packages_fetch fetch;
	struct provisions sets[WHERE_COUNT];
	struct report *report;
	bool sets_before;             /* IN_BASE and IN_CONTAINER are made */
	size_t steps;
	const struct package **breakers; /* packages of the new base that the container's own do not go with */
	size_t breaker_count, breaker_capacity;
};

static void check_free(struct check *check)
{
	for (size_t i = 0; i < WHERE_COUNT; i++)
		provisions_free(check->sets + i);
	free(check->breakers);
}

static bool is_negative(enum package_field field)
{
	return field == FIELD_CONFLICTS || field == FIELD_BREAKS;
}

/* Without an architecture, dependencies mean the package's own or Multi-Arch: foreign, conflicts mean each. */
static bool has_architecture(const struct check *check, const struct relation *relation, const struct package *asking,
			     const struct package *package, bool negative)
{
	struct slice wanted = relation->architecture;

	if (slice_is(wanted, "any"))
		return true;
	if (wanted.length == 0)
		return negative || package->everywhere || slice_equal(package->foreign, asking->foreign);
	return slice_equal(package->foreign, slice_equal(wanted, check->native) ? (struct slice){ 0 } : wanted);
}

/* The package that one alternative is answered by; NULL: none. */
static const struct package *find_answer(struct check *check, enum where where, const struct package *asking,
					 const struct relation *relation, bool negative)
{
	const struct provisions *set = check->sets + where;
	const struct provision *end = set->items + set->count, *it = provisions_find(set, relation->name);

	for (check->steps++; it && it < end && slice_equal(it->name, relation->name); it++) {
		/* No package is in conflict with itself, in whatever architecture, or with what it provides. */
		bool itself = negative && slice_equal(it->package->fields[FIELD_NAME], asking->fields[FIELD_NAME]);

		check->steps += 1 + it->version.length / 8;
		if (check->steps > steps_max)
			return NULL;
		if (!itself && relation_has_version(relation, it->version) &&
		    has_architecture(check, relation, asking, it->package, negative))
			return it->package;
	}
	return NULL;
}

/* @text: all alternatives. What cannot be read is never answered, before as after. */
static const struct package *find_any_answer(struct check *check, enum where where, const struct package *asking,
					     enum package_field field, struct slice text)
{
	const struct package *answer = NULL;
	struct relation relation;
	struct slice part;

	while (!answer && slice_split(&text, '|', &part))
		if (relation_read(part, &relation))
			answer = find_answer(check, where, asking, &relation, is_negative(field));
	return answer;
}

/* Whether one of the relations in @field is just @text. */
static bool asks_for(struct check *check, const struct package *package, enum package_field field, struct slice text)
{
	struct slice rest = package->fields[field], part;

	while (slice_split(&rest, ',', &part) && ++check->steps <= steps_max)
		if (slice_equal(part, text))
			return true;
	return false;
}

/* The two sets that were there before are made when a first relation turns out not to hold. */
static int make_sets_before(struct check *check)
{
	static const enum package_whose whose[] = { [IN_BASE] = PACKAGE_NEW, [IN_CONTAINER] = PACKAGE_OWN };
	int r = 0;

	if (check->sets_before)
		return 0;
	for (enum where where = IN_BASE; where < WHERE_COUNT; where++) {
		const struct package_db *db = check->dbs + whose[where];

		for (size_t i = 0; r == 0 && i < db->count; i++)
			r = provisions_add(check->sets + where, db->packages + i);
		provisions_sort(check->sets + where);
	}
	check->sets_before = true;
	return r;
}

static bool held_before(struct check *check, const struct package *package, enum package_field field, struct slice text)
{
	const struct package *mine = package_db_find(check->dbs + PACKAGE_OWN, package);
	enum where where = IN_BASE;

	/* What is brought has to go with all the rest: it is there for that. */
	if (package->whose == PACKAGE_FETCHED)
		return true;
	if (mine == package || (package_installed(mine) && asks_for(check, mine, field, text)))
		where = IN_CONTAINER;
	return !find_any_answer(check, where, package, field, text) == is_negative(field);
}

static const char *origin(const struct package *package)
{
	static const char *const origins[] = { "the old base", "the new base", "the container",
					       "the new base's sources" };

	return origins[package->whose];
}

/* What a relation says is shown shortened, and without bytes that a terminal would obey. */
static void show(struct slice text, char *buffer, size_t size)
{
	size_t length = text.length < size ? text.length : size - 1;

	for (size_t i = 0; i < length; i++)
		buffer[i] = text.data[i] >= ' ' && text.data[i] < 0x7f ? text.data[i] : '?';
	buffer[length] = '\0';
	if (text.length > length)
		memcpy(buffer + length - 3, "...", 3);
}

/* "libfoo 1.0, no libbar": what there would be of what the alternatives name. */
static void show_present(const struct check *check, struct slice text, char *buffer, size_t size)
{
	struct relation relation;
	struct slice part;
	size_t used = 0;

	buffer[0] = '\0';
	while (used < size && slice_split(&text, '|', &part)) {
		const struct provision *found;
		char name[80], version[80];

		if (!relation_read(part, &relation))
			continue;
		found = provisions_find(check->sets + IN_RESULT, relation.name);
		show(relation.name, name, sizeof name);
		show(found ? found->version : (struct slice){ 0 }, version, sizeof version);
		used += (size_t)snprintf(buffer + used, size - used, "%s%s%s%s%s", used ? ", " : "", found ? "" : "no ",
					 name, *version ? " " : "", version);
	}
}

/* @row: of the package that could be brought to another version; NULL: none could. */
static const char *hint(const struct check *check, const struct package_row *row)
{
	if (!row)
		return "";
	return check->fetch == PACKAGES_FETCHED ? " (the base's sources have no version of it that fits)"
						: ", or let --fetch bring a version that fits";
}

static void say_missing(struct check *check, const char *name, const struct package *package, enum package_field field,
			struct slice text, const struct package_row *row)
{
	char wanted[200], present[200];

	show(text, wanted, sizeof wanted);
	show_present(check, text, present, sizeof present);
	report_add(check->report, LB_REBASE_PACKAGE, LB_REBASE_CONFLICT, name,
		   "%s %.*s of %s %s %s, but there would be %s; in the container, %s first%s", name,
		   SLICE_ARGS(package->fields[FIELD_VERSION]), origin(package),
		   field == FIELD_DEPENDS ? "depends on" : "pre-depends on", wanted, *present ? present : "none",
		   package->whose != PACKAGE_NEW ? "upgrade or remove it" : "install, upgrade or unhold what it needs",
		   hint(check, row));
}

static void say_clash(struct check *check, const char *name, const struct package *package, enum package_field field,
		      struct slice text, const struct package *other, const struct package_row *row)
{
	char wanted[200];

	show(text, wanted, sizeof wanted);
	report_add(check->report, LB_REBASE_PACKAGE, LB_REBASE_CONFLICT, name,
		   "%s %.*s of %s %s %s, but there would be %.*s %.*s of %s; in the container, upgrade or remove %.*s "
		   "first%s",
		   name, SLICE_ARGS(package->fields[FIELD_VERSION]), origin(package),
		   field == FIELD_BREAKS ? "breaks" : "conflicts with", wanted, SLICE_ARGS(other->fields[FIELD_NAME]),
		   SLICE_ARGS(other->fields[FIELD_VERSION]), origin(other),
		   SLICE_ARGS((package->whose != PACKAGE_NEW ? package : other)->fields[FIELD_NAME]), hint(check, row));
}

/* ---- what could be brought to another version ---- */

static int find_order(const void *package, const void *at)
{
	const struct package_row *row = at;

	return package_order(package, row->own ? row->own : row->new ? row->new : row->old);
}

/* The row of a package of the container's own that may be, and is not yet; NULL: it is none. */
static struct package_row *find_fetchable(const struct check *check, const struct package *package)
{
	struct package_row *row;

	if (!package || package->whose != PACKAGE_OWN)
		return NULL;
	row = bsearch(package, check->rows->rows, check->rows->count, sizeof *row, find_order);
	return row && package_row_is_fetchable(row) ? row : NULL;
}

static int note_breaker(struct check *check, const struct package *package)
{
	const struct package **breakers;

	if (package->whose != PACKAGE_NEW)
		return 0;
	breakers = array_grow(check->breakers, check->breaker_count, &check->breaker_capacity, sizeof *breakers);
	if (!breakers)
		return -ENOMEM;
	check->breakers = breakers;
	check->breakers[check->breaker_count++] = package;
	return 0;
}

/* Those that the alternatives name, and that are there in versions that do not fit. */
static int note_breakers(struct check *check, struct slice text)
{
	struct relation relation;
	struct slice part;
	int r = 0;

	while (r == 0 && slice_split(&text, '|', &part)) {
		const struct provision *found =
			relation_read(part, &relation) ? provisions_find(check->sets + IN_RESULT, relation.name) : NULL;

		if (found)
			r = note_breaker(check, found->package);
	}
	return r;
}

static int check_relation(struct check *check, const struct package *package, enum package_field field,
			  struct slice text)
{
	const struct package *answer = find_any_answer(check, IN_RESULT, package, field, text);
	struct package_row *row;
	CLEANUP_FREE char *name = NULL;
	int r;

	if (text.length == 0 || !answer == is_negative(field))
		return 0;
	r = make_sets_before(check);
	if (r < 0 || !held_before(check, package, field, text))
		return r;
	row = find_fetchable(check, package);
	if (!row)
		row = find_fetchable(check, answer);
	if (row) {
		row->wanted = true;
		r = answer ? note_breaker(check, package == row->own ? answer : package) : note_breakers(check, text);
	}
	if (r < 0 || (row && check->fetch == PACKAGES_FETCH_ANY))
		return r;
	name = package_info_name(package);
	if (!name)
		return -ENOMEM;
	if (answer)
		say_clash(check, name, package, field, text, answer, row);
	else
		say_missing(check, name, package, field, text, row);
	return 0;
}

static int check_package(struct check *check, const struct package *package)
{
	static const enum package_field fields[] = { FIELD_PRE_DEPENDS, FIELD_DEPENDS, FIELD_CONFLICTS, FIELD_BREAKS };
	int r = 0;

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		struct slice rest = package->fields[fields[i]], text;

		while (r == 0 && check->steps <= steps_max && slice_split(&rest, ',', &text))
			r = check_relation(check, package, fields[i], text);
	}
	return r;
}

/* Two architectures of a package are there together only where both are Multi-Arch: same, and in one version. */
static void check_together(struct check *check, const struct package *a, const struct package *b)
{
	struct slice name = a->fields[FIELD_NAME];
	CLEANUP_FREE char *subject = NULL;

	struct package_row *row;

	if (a->whose == b->whose || !slice_equal(name, b->fields[FIELD_NAME]) ||
	    (a->same && b->same && package_same_version(a, b)))
		return;
	row = find_fetchable(check, a);
	if (!row)
		row = find_fetchable(check, b);
	if (row)
		row->wanted = true;
	if (row && check->fetch == PACKAGES_FETCH_ANY)
		return;
	subject = package_info_name(a->whose == PACKAGE_OWN ? a : b);
	if (!subject) {
		check->report->failed = true;
		return;
	}
	report_add(check->report, LB_REBASE_PACKAGE, LB_REBASE_CONFLICT, subject,
		   "%.*s would be there as %.*s %.*s of %s and as %.*s %.*s of %s, which dpkg does not allow; "
		   "in the container, upgrade or remove its own first%s",
		   SLICE_ARGS(name), SLICE_ARGS(a->fields[FIELD_ARCHITECTURE]), SLICE_ARGS(a->fields[FIELD_VERSION]),
		   origin(a), SLICE_ARGS(b->fields[FIELD_ARCHITECTURE]), SLICE_ARGS(b->fields[FIELD_VERSION]),
		   origin(b), hint(check, row));
}

/* What there will be of a row in the end. */
static const struct package *outcome(const struct package_row *row)
{
	return row->fetched ? row->fetched : row->result;
}

static int check_all(struct check *check)
{
	const struct package_rows *rows = check->rows;
	const struct package *last = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < rows->count; i++)
		if (outcome(rows->rows + i))
			r = provisions_add(check->sets + IN_RESULT, outcome(rows->rows + i));
	provisions_sort(check->sets + IN_RESULT);
	for (size_t i = 0; r == 0 && i < rows->count; i++) {
		const struct package *package = outcome(rows->rows + i);

		if (!package_installed(package))
			continue;
		if (last)
			check_together(check, last, package);
		last = package;
		r = check_package(check, package);
	}
	return r;
}

int depends_check(const struct package_db dbs[PACKAGE_WHOSE_COUNT], const struct package_rows *rows,
		  struct slice native, enum packages_fetch fetch, struct report *report, struct package_merge *merge,
		  char *error, size_t error_size)
{
	CLEANUP(check_free) struct check check = {
		.dbs = dbs, .rows = rows, .native = native, .fetch = fetch, .report = report,
	};
	int r = check_all(&check);

	if (r == 0 && check.steps > steps_max) {
		snprintf(error, error_size,
			 "the container's package database has dependencies that would take too long to check; "
			 "look at Provides and Depends in its var/lib/dpkg/status");
		return -EINVAL;
	}
	return r == 0 ? package_rows_want(rows, check.breakers, check.breaker_count, merge) : r;
}
