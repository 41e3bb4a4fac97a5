/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "package-db.h"

#include "../util/array.h"
#include "deb-version.h"
#include "../util/stanza.h"
#include "../util/text.h"

/* Debian has about 70,000 packages in all: far more than any system, and less than takes the host's memory. */
enum { PACKAGES_MAX = 100 * 1000, RELATIONS_MAX = 500 * 1000 };

static const char *const field_names[FIELD_COUNT] = {
	[FIELD_NAME] = "Package",
	[FIELD_STATUS] = "Status",
	[FIELD_ARCHITECTURE] = "Architecture",
	[FIELD_MULTI_ARCH] = "Multi-Arch",
	[FIELD_VERSION] = "Version",
	[FIELD_SOURCE] = "Source",
	[FIELD_CONFFILES] = "Conffiles",
	[FIELD_TRIGGERS] = "Triggers-Pending",
	[FIELD_PROVIDES] = "Provides",
	[FIELD_PRE_DEPENDS] = "Pre-Depends",
	[FIELD_DEPENDS] = "Depends",
	[FIELD_CONFLICTS] = "Conflicts",
	[FIELD_BREAKS] = "Breaks",
};

static const char *const state_names[] = {
	[PACKAGE_NOT_INSTALLED] = "not-installed",
	[PACKAGE_CONFIG_FILES] = "config-files",
	[PACKAGE_HALF_INSTALLED] = "half-installed",
	[PACKAGE_UNPACKED] = "unpacked",
	[PACKAGE_HALF_CONFIGURED] = "half-configured",
	[PACKAGE_TRIGGERS_AWAITED] = "triggers-awaited",
	[PACKAGE_TRIGGERS_PENDING] = "triggers-pending",
	[PACKAGE_INSTALLED] = "installed",
};

const char *package_state_name(enum package_state state)
{
	return state_names[state];
}

const char *package_whose_name(enum package_whose whose)
{
	static const char *const names[] = { "the old base's", "the new base's", "the container's",
					      "the new base's sources'" };

	return names[whose];
}

/* The place of @word in @words, or -1. */
static int find_word(struct slice word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_is(word, words[i]))
			return (int)i;
	return -1;
}

/* Names become names of files in info/ and words of sentences. */
static bool is_name(struct slice name)
{
	for (size_t i = 0; i < name.length; i++) {
		char c = name.data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && (i == 0 || !strchr("+-._", c)))
			return false;
	}
	return name.length > 0 && name.length < 200;
}

static bool is_version(struct slice version)
{
	for (size_t i = 0; i < version.length; i++)
		if (version.data[i] <= ' ' || version.data[i] >= 0x7f)
			return false;
	return version.length > 0 && version.length < 500;
}

/* What is wrong with `Status: want flag state`; NULL: nothing. */
static const char *read_status(struct package *package)
{
	static const char *const wants[] = { "unknown", "install", "hold", "deinstall", "purge" };
	struct slice rest = package->fields[FIELD_STATUS], flag = { 0 }, state = { 0 };
	int number;

	if (!slice_split(&rest, ' ', &package->want) || !slice_split(&rest, ' ', &flag) ||
	    !slice_split(&rest, ' ', &state) || rest.length)
		return "a Status is not three words";
	if (find_word(package->want, wants, sizeof wants / sizeof *wants) < 0)
		return "the selection in a Status is unknown";
	if (!slice_is(flag, "ok") && !slice_is(flag, "reinstreq"))
		return "the flag in a Status is unknown";
	number = find_word(state, state_names, sizeof state_names / sizeof *state_names);
	if (number < 0)
		return "the state in a Status is unknown";
	package->reinstall = slice_is(flag, "reinstreq");
	package->state = (enum package_state)number;
	return NULL;
}

static const char *read_values(struct package *package)
{
	static const char *const kinds[] = { "no", "same", "foreign", "allowed" };
	struct slice version = package->fields[FIELD_VERSION], architecture = package->fields[FIELD_ARCHITECTURE];
	struct slice kind = package->fields[FIELD_MULTI_ARCH];
	const char *wrong;

	if (!package->fields[FIELD_NAME].data)
		return "a stanza has no Package";
	if (!is_name(package->fields[FIELD_NAME]))
		return "that is no name of a package";
	wrong = read_status(package);
	if (wrong)
		return wrong;
	if (architecture.length && !is_name(architecture))
		return "that is no architecture";
	if (kind.length && find_word(kind, kinds, sizeof kinds / sizeof *kinds) < 0)
		return "its Multi-Arch is unknown";
	/* Only what is half removed has no version any more. */
	if ((version.length || (package->state != PACKAGE_NOT_INSTALLED && package->state != PACKAGE_HALF_INSTALLED)) &&
	    !is_version(version))
		return "a package has no proper Version";
	package->same = slice_is(kind, "same") && architecture.length && !slice_is(architecture, "all");
	package->everywhere = slice_is(kind, "foreign");
	return NULL;
}

static const char *read_stanza(struct package *package)
{
	struct slice rest = package->stanza;
	struct stanza_field field;
	int r;

	while ((r = stanza_field_next(&rest, &field)) > 0) {
		size_t i = 0;

		while (i < FIELD_COUNT && !stanza_field_is(&field, field_names[i]))
			i++;
		if (i == FIELD_COUNT)
			continue;
		if (package->fields[i].data)
			return "a stanza has a field twice";
		package->fields[i] = field.value;
	}
	return r < 0 ? "a line is no `Name: value`" : read_values(package);
}

static int refuse(const struct package_db *db, const char *at, const char *why, char *error, size_t error_size)
{
	snprintf(error, error_size,
		 "%s package database, var/lib/dpkg/status, is damaged: %s, in the stanza at line %zu; %s",
		 package_whose_name(db->whose), why, stanza_line(db->text, at),
		 db->whose == PACKAGE_OWN ? "mend it in the container (dpkg keeps the one before as status-old)"
					  : "build the base again");
	return -EINVAL;
}

static int refuse_size(const struct package_db *db, int max, const char *of_what, char *error, size_t error_size)
{
	snprintf(error, error_size,
		 "%s package database has more than %d %s, which would take too long to check; look at its "
		 "var/lib/dpkg/status",
		 package_whose_name(db->whose), max, of_what);
	return -EINVAL;
}

/* What it provides and asks for: a few bytes each here, and many times that once they are read. */
static size_t count_relations(const struct package *package)
{
	size_t count = 0;

	for (enum package_field i = FIELD_PROVIDES; i <= FIELD_BREAKS; i++) {
		const struct slice *field = &package->fields[i];

		count += field->length > 0;
		for (size_t k = 0; k < field->length; k++)
			count += field->data[k] == ',' || field->data[k] == '|';
	}
	return count;
}

static struct package *add_package(struct package_db *db, size_t *capacity)
{
	struct package *packages = array_grow(db->packages, db->count, capacity, sizeof *packages);

	if (!packages)
		return NULL;
	db->packages = packages;
	return memset(db->packages + db->count++, 0, sizeof *db->packages);
}

static int read_all(struct package_db *db, char *error, size_t error_size)
{
	const char *cursor = db->text;
	struct slice stanza;
	size_t capacity = 0, relations = 0;

	while (cursor && stanza_next(&cursor, &stanza)) {
		struct package *package;
		const char *wrong;

		if (db->count == PACKAGES_MAX)
			return refuse_size(db, PACKAGES_MAX, "packages", error, error_size);
		package = add_package(db, &capacity);
		if (!package)
			return -ENOMEM;
		package->stanza = stanza;
		package->whose = db->whose;
		wrong = read_stanza(package);
		if (wrong)
			return refuse(db, stanza.data, wrong, error, error_size);
		relations += count_relations(package);
		if (relations > RELATIONS_MAX)
			return refuse_size(db, RELATIONS_MAX, "dependencies and provisions", error, error_size);
	}
	return 0;
}

int package_db_read(const char *text, enum package_whose whose, struct package_db *ret_db, char *error,
		    size_t error_size)
{
	struct package_db db = { .text = text, .whose = whose };
	int r = read_all(&db, error, error_size);

	if (r < 0)
		package_db_free(&db);
	else
		*ret_db = db;
	return r;
}

struct slice package_db_native(const struct package_db *db)
{
	for (size_t i = 0; i < db->count; i++) {
		const struct package *package = db->packages + i;
		struct slice architecture = package->fields[FIELD_ARCHITECTURE];

		if (slice_is(package->fields[FIELD_NAME], "dpkg") && package_installed(package) &&
		    !slice_is(architecture, "all"))
			return architecture;
	}
	return (struct slice){ 0 };
}

int package_order(const struct package *a, const struct package *b)
{
	int order = slice_compare(a->fields[FIELD_NAME], b->fields[FIELD_NAME]);

	return order ? order : slice_compare(a->foreign, b->foreign);
}

/* Equal ones with the one to keep in front: what is there, and what stands first. */
static int sort_order(const void *left, const void *right)
{
	const struct package *a = left, *b = right;
	int order = package_order(a, b);

	if (order == 0)
		order = (a->state == PACKAGE_NOT_INSTALLED) - (b->state == PACKAGE_NOT_INSTALLED);
	return order ? order : (a->stanza.data > b->stanza.data) - (a->stanza.data < b->stanza.data);
}

int package_db_sort(struct package_db *db, struct slice native, char *error, size_t error_size)
{
	size_t kept = 0;

	for (size_t i = 0; i < db->count; i++) {
		struct slice architecture = db->packages[i].fields[FIELD_ARCHITECTURE];

		if (!slice_is(architecture, "all") && !slice_equal(architecture, native))
			db->packages[i].foreign = architecture;
	}
	if (db->count)
		qsort(db->packages, db->count, sizeof *db->packages, sort_order);
	for (size_t i = 0; i < db->count; i++) {
		const struct package *package = db->packages + i;

		if (kept == 0 || package_order(db->packages + kept - 1, package) != 0)
			db->packages[kept++] = *package;
		else if (package->state != PACKAGE_NOT_INSTALLED)
			return refuse(db, package->stanza.data, "a package is there twice", error, error_size);
	}
	db->count = kept;
	return 0;
}

void package_db_free(struct package_db *db)
{
	free(db->packages);
	*db = (struct package_db){ 0 };
}

static int find_order(const void *left, const void *right)
{
	return package_order(left, right);
}

const struct package *package_db_find(const struct package_db *db, const struct package *package)
{
	return db->count ? bsearch(package, db->packages, db->count, sizeof *db->packages, find_order) : NULL;
}

char *package_info_name(const struct package *package)
{
	struct slice name = package->fields[FIELD_NAME], architecture = package->fields[FIELD_ARCHITECTURE];

	if (package->same)
		return text_format("%.*s:%.*s", SLICE_ARGS(name), SLICE_ARGS(architecture));
	return text_format("%.*s", SLICE_ARGS(name));
}

bool package_same_version(const struct package *a, const struct package *b)
{
	return slice_equal(a->fields[FIELD_VERSION], b->fields[FIELD_VERSION]) ||
	       deb_version_compare_slices(a->fields[FIELD_VERSION], b->fields[FIELD_VERSION]) == 0;
}
