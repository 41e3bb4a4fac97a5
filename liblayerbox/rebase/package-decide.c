/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "package-row.h"

#include "../util/text.h"

static void decision_free(struct package_decision *decision)
{
	free(decision->name);
	free(decision->before);
	free(decision->after);
	free(decision->own);
	free(decision->conffiles);
}

void package_merge_free(struct package_merge *merge)
{
	for (size_t i = 0; i < merge->count; i++)
		decision_free(merge->decisions + i);
	free(merge->decisions);
	free(merge->status);
	text_list_free(&merge->wanted);
	text_list_free(&merge->fetched);
	*merge = (struct package_merge){ 0 };
}

/* The version in *ret_version, NULL where it is not installed; false without memory. */
static bool copy_version(const struct package *package, char **ret_version)
{
	if (!package_installed(package))
		return true;
	*ret_version = text_format("%.*s", SLICE_ARGS(package->fields[FIELD_VERSION]));
	return *ret_version;
}

/* The lines without the blanks in front of each. */
static bool copy_conffiles(const struct package *package, char **ret_conffiles)
{
	struct slice rest = package ? package->fields[FIELD_CONFFILES] : (struct slice){ 0 }, line;
	struct buffer text = { 0 };

	if (!package)
		return true;
	while (slice_split(&rest, '\n', &line)) {
		if (line.length == 0)
			continue;
		buffer_add(&text, line.data, line.length);
		buffer_add_text(&text, "\n");
	}
	*ret_conffiles = buffer_finish(&text);
	return *ret_conffiles;
}

static bool decide(const struct package_row *row, const struct package *named, struct package_decision *decision)
{
	*decision = (struct package_decision){ .name = package_info_name(named), .side = row->side, .held = row->held };
	return decision->name && copy_version(row->old, &decision->before) &&
	       copy_version(row->new, &decision->after) && copy_version(row->own, &decision->own) &&
	       copy_conffiles(row->own, &decision->conffiles);
}

/* One for each name that files in info/ have in any of the three: a package that became Multi-Arch: same has two. */
static bool decide_names(const struct package_row *row, struct package_merge *merge)
{
	const struct package *const named[] = { row->own, row->new, row->old };
	bool seen[2] = { false };

	for (size_t i = 0; i < 3; i++) {
		if (!named[i] || seen[named[i]->same])
			continue;
		seen[named[i]->same] = true;
		if (!decide(row, named[i], merge->decisions + merge->count++))
			return false;
	}
	return true;
}

/* Of two with the same name the one that the container has installed is in front. */
static int order_decisions(const void *left, const void *right)
{
	const struct package_decision *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	return order ? order : !a->own - !b->own;
}

static void take_if_missing(char **text, char **from)
{
	if (!*text)
		*text = TAKE_PTR(*from);
}

/* A package that changed its architecture has two rows, and one name in info/. */
static void join_equal(struct package_merge *merge)
{
	size_t kept = 0;

	for (size_t i = 0; i < merge->count; i++) {
		struct package_decision *decision = merge->decisions + i;
		struct package_decision *last = kept ? merge->decisions + kept - 1 : NULL;

		if (!last || !text_equal(last->name, decision->name)) {
			merge->decisions[kept++] = *decision;
			continue;
		}
		take_if_missing(&last->before, &decision->before);
		take_if_missing(&last->after, &decision->after);
		decision_free(decision);
	}
	merge->count = kept;
}

int package_rows_decide(const struct package_rows *rows, struct package_merge *merge)
{
	size_t count = 0;

	for (size_t i = 0; i < rows->count; i++)
		count += rows->rows[i].differs;
	merge->decisions = calloc(2 * count + 1, sizeof *merge->decisions);
	if (!merge->decisions)
		return -ENOMEM;
	for (size_t i = 0; i < rows->count; i++)
		if (rows->rows[i].differs && !decide_names(rows->rows + i, merge))
			return -ENOMEM;
	if (merge->count)
		qsort(merge->decisions, merge->count, sizeof *merge->decisions, order_decisions);
	join_equal(merge);
	return 0;
}

static int find_order(const void *name, const void *decision)
{
	return strcmp(name, ((const struct package_decision *)decision)->name);
}

const struct package_decision *package_merge_find(const struct package_merge *merge, const char *name)
{
	if (merge->count == 0)
		return NULL;
	return bsearch(name, merge->decisions, merge->count, sizeof *merge->decisions, find_order);
}
