/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/rebase/packages.h"

/* dpkg, whose architecture is the native one, and "NAME[:ARCH] VERSION[! FIELD]...; ..." */
static char *make_status(const char *list)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	CLEANUP_FREE char *whole = strdup(list);

	for (char *rest = whole, *one = strsep(&rest, ";"); one; one = strsep(&rest, ";")) {
		char *head = text_trim(strsep(&one, "!")), *version = strchr(head, ' '), *architecture;

		if (!version)
			continue;
		*version++ = '\0';
		architecture = strchr(head, ':');
		if (architecture)
			*architecture++ = '\0';
		buffer_format(&text, "Package: %s\nArchitecture: %s\nVersion: %s\n", head,
			      architecture ? architecture : "amd64", version);
		if (!one || !strstr(one, "Status:"))
			buffer_add_text(&text, "Status: install ok installed\n");
		while (one)
			buffer_format(&text, "%s\n", text_trim(strsep(&one, "!")));
		buffer_add_text(&text, "\n");
	}
	buffer_add_text(&text, "");
	return buffer_finish(&text);
}

static char *join(const struct text_list *list)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	buffer_add_text(&text, "");
	for (size_t i = 0; i < list->count; i++)
		buffer_format(&text, "%s%s", i ? " " : "", list->items[i]);
	return buffer_finish(&text);
}

/* What is said about one package, with the outcome in front; "" where nothing is. */
static char *find_item(const struct report *report, const char *subject)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	buffer_add_text(&text, "");
	for (size_t i = 0; i < report->count; i++)
		if (text_equal(report->items[i].subject, subject))
			buffer_format(&text, "%s: %s\n", lb_rebase_outcome_name(report->items[i].outcome),
				      report->items[i].text);
	return buffer_finish(&text);
}

struct merged {
	struct report report;
	struct package_merge merge;
	char *wanted, *fetched;
};

static void merged_free(struct merged *merged)
{
	report_free(&merged->report);
	package_merge_free(&merged->merge);
	free(merged->wanted);
	free(merged->fetched);
}

#define CLEANUP_MERGED CLEANUP(merged_free)

/* The container stands on @old, with @more installed. */
static void merge(const char *old, const char *new, const char *more, enum packages_fetch fetch, const char *fetched,
		  struct merged *ret_merged)
{
	CLEANUP_FREE char *own = text_format("dpkg 1; %s; %s", old, more);
	CLEANUP_FREE char *old_list = text_format("dpkg 1; %s", old);
	CLEANUP_FREE char *new_list = text_format("dpkg 1; %s", new);
	CLEANUP_FREE char *old_text = make_status(old_list);
	CLEANUP_FREE char *new_text = make_status(new_list);
	CLEANUP_FREE char *own_text = make_status(own);
	CLEANUP_FREE char *fetched_text = fetched ? make_status(fetched) : NULL;
	const struct three_texts status = { .old = old_text, .new = new_text, .own = own_text };
	char error[300];

	*ret_merged = (struct merged){ 0 };
	assert_int_equal(packages_merge_fetching(&status, fetch, fetched_text, &ret_merged->report, &ret_merged->merge,
						 error, sizeof error),
			 0);
	assert_false(ret_merged->report.failed);
	ret_merged->wanted = join(&ret_merged->merge.wanted);
	ret_merged->fetched = join(&ret_merged->merge.fetched);
	assert_non_null(ret_merged->wanted);
	assert_non_null(ret_merged->fetched);
}

#define LIBC_1 "libc6 1! Source: glibc"
#define LIBC_2 "libc6 2! Source: glibc"
#define DEV "libc6-dev 1! Source: glibc! Depends: libc6 (= 1), libc-dev-bin (= 1)"
#define BIN "libc-dev-bin 1! Source: glibc (1+b1)"

/* Which packages go with the base, and in which version they are asked for. */
static void test_choice(void **state)
{
	static const struct {
		const char *old, *new, *more, *wanted;
	} cases[] = {
		/* Nothing breaks. */
		{ LIBC_1, LIBC_1, DEV ";" BIN, "" },
		{ LIBC_1, LIBC_2, BIN, "" },
		{ LIBC_1, LIBC_2, "tool 1! Depends: libc6 (>= 1)", "" },
		/* What breaks, and what is of one source with it; no others. */
		{ LIBC_1, LIBC_2, DEV ";" BIN, "libc-dev-bin=2 libc6-dev=2" },
		{ LIBC_1, LIBC_2, DEV ";" BIN "; gcc 4! Depends: libc6-dev (>= 1)", "libc-dev-bin=2 libc6-dev=2" },
		{ "lib 1", "lib 2", "app 1! Depends: lib (<< 2); app-data 1; app-doc 1! Source: app", "app app-doc" },
		/* Of one source with the base's package that broke it. */
		{ "lib 1", "lib 2", "app 1! Depends: lib (= 1); lib-doc 1! Source: lib", "app lib-doc=2" },
		{ "lib 1", "lib 2", "app 1! Depends: none | lib (= 1); none-doc 1! Source: none", "app" },
		/* By the base's Breaks, and by its own Conflicts. */
		{ "lib 1", "lib 2! Breaks: app (<< 2)", "app 1", "app" },
		{ "lib 1", "lib 2", "app 1! Conflicts: lib (>> 1)", "app" },
		{ "lib 1", "lib 2! Source: s! Breaks: app", "app 1; mate 1! Source: s", "app mate=2" },
		/* What the base has no more. */
		{ "lib 1", "x 1", "app 1! Depends: lib", "app" },
		/* Of another architecture. */
		{ "lib:i386 1! Multi-Arch: same", "lib:i386 2! Multi-Arch: same", "app:i386 1! Depends: lib (= 1)",
		  "app:i386" },
		/* Not what the base has itself, nor what the owner holds. */
		{ "lib 1; app 1! Depends: lib", "lib 2; app 2! Depends: lib (= 2)", "app2 1! Depends: app (>= 1)", "" },
		{ "lib 1", "lib 2", "app 1! Depends: lib (= 1)! Status: hold ok installed", "" },
		/* Broken before. */
		{ "lib 1", "lib 2", "app 1! Depends: lib (= 3)", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP_MERGED struct merged merged;
		CLEANUP_MERGED struct merged later;

		merge(cases[i].old, cases[i].new, cases[i].more, PACKAGES_FETCH_NOT, NULL, &merged);
		if (!text_equal(merged.wanted, cases[i].wanted))
			fail_msg("[%s] -> [%s] with [%s]: [%s]", cases[i].old, cases[i].new, cases[i].more,
				 merged.wanted);
		if (*cases[i].wanted)
			assert_true(merged.report.conflicts > 0);
		merge(cases[i].old, cases[i].new, cases[i].more, PACKAGES_FETCH_ANY, NULL, &later);
		assert_string_equal(later.wanted, cases[i].wanted);
		if (*cases[i].wanted)
			assert_int_equal(later.report.conflicts, 0);
		else
			assert_int_equal(later.report.conflicts, merged.report.conflicts);
	}
}

static void test_sentences(void **state)
{
	CLEANUP_MERGED struct merged refused, later, held, none;
	CLEANUP_FREE char *said = NULL;

	(void)state;
	merge(LIBC_1, LIBC_2, DEV ";" BIN, PACKAGES_FETCH_NOT, NULL, &refused);
	said = find_item(&refused.report, "libc6-dev");
	assert_contains(said,
			"conflict: libc6-dev 1 of the container depends on libc6 (= 1), but there would be libc6 2; in "
			"the container, upgrade or remove it first, or let --fetch bring a version that fits\n");
	free(said);
	merge(LIBC_1, LIBC_2, DEV ";" BIN, PACKAGES_FETCH_ANY, NULL, &later);
	said = find_item(&later.report, "libc-dev-bin");
	assert_string_equal(said,
			    "done: libc-dev-bin 1, the container's own, is to be brought to a version that fits the "
			    "base, which would be fetched\n");
	free(said);
	merge("lib 1", "lib 2", "app 1! Depends: lib (= 1)! Status: hold ok installed", PACKAGES_FETCH_NOT, NULL,
	      &held);
	said = find_item(&held.report, "app");
	assert_contains(said, "conflict: ");
	assert_null(strstr(said, "--fetch"));
	free(said);
	merge("lib 1", "lib 2", "app 1! Depends: lib (= 1)", PACKAGES_FETCHED, "", &none);
	said = find_item(&none.report, "app");
	assert_contains(said, "the base's sources have no version of it that fits");
}

/* What was fetched is judged as all the rest is. */
static void test_fetched(void **state)
{
	static const struct {
		const char *more, *fetched, *wanted, *brought;
		size_t conflicts;
	} cases[] = {
		{ DEV ";" BIN, "libc6-dev 2! Depends: libc6 (= 2), libc-dev-bin (= 2); libc-dev-bin 2", "",
		  "libc-dev-bin libc6-dev", 0 },
		/* Only a part of it. */
		{ DEV ";" BIN, "libc6-dev 2! Depends: libc6 (= 2)", "libc-dev-bin=2", "libc6-dev", 0 },
		{ DEV ";" BIN, "libc6-dev 2! Depends: libc6 (= 2), libc-dev-bin (= 2)", "libc-dev-bin=2", "libc6-dev",
		  1 },
		{ DEV ";" BIN, "libc-dev-bin 2", "libc6-dev=2", "libc-dev-bin", 2 },
		/* The sources are further than the base, or have what it has already. */
		{ DEV ";" BIN, "libc6-dev 3! Depends: libc6 (= 3); libc-dev-bin 3", "", "libc-dev-bin libc6-dev", 1 },
		{ DEV ";" BIN, DEV ";" BIN, "libc-dev-bin=2 libc6-dev=2", "", 1 },
		/* It needs what nobody has. */
		{ DEV ";" BIN, "libc6-dev 2! Depends: linux-libc-dev; libc-dev-bin 2", "", "libc-dev-bin libc6-dev",
		  1 },
		/* It breaks another. */
		{ DEV ";" BIN "; gcc 4! Depends: libc6-dev (<< 2)", "libc6-dev 2! Depends: libc6; libc-dev-bin 2",
		  "gcc", "libc-dev-bin libc6-dev", 1 },
		{ DEV ";" BIN "; gcc 4! Depends: libc6-dev (<< 2)",
		  "libc6-dev 2! Depends: libc6; libc-dev-bin 2; gcc 5! Depends: libc6-dev (>= 2)", "",
		  "gcc libc-dev-bin libc6-dev", 0 },
		/* Not what nobody asked for, nor what the base has. */
		{ DEV ";" BIN, "libc6-dev 2; libc-dev-bin 2; libc6 3; other 1", "", "libc-dev-bin libc6-dev", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP_MERGED struct merged merged;

		merge(LIBC_1, LIBC_2, cases[i].more, PACKAGES_FETCHED, cases[i].fetched, &merged);
		if (!text_equal(merged.wanted, cases[i].wanted) || !text_equal(merged.fetched, cases[i].brought) ||
		    merged.report.conflicts != cases[i].conflicts)
			fail_msg("%zu: wanted [%s], fetched [%s], %zu conflicts", i, merged.wanted, merged.fetched,
				 merged.report.conflicts);
		/* dpkg brings them: until then they are as they were. */
		assert_contains(merged.merge.status, "Package: libc6-dev\nArchitecture: amd64\nVersion: 1\n");
	}
}

static void test_item_of_a_fetched_one(void **state)
{
	CLEANUP_MERGED struct merged merged;
	CLEANUP_FREE char *said = NULL;

	(void)state;
	merge("lib 1", "lib 2", "app 1! Depends: lib (= 1)", PACKAGES_FETCHED, "app 1.5! Depends: lib (= 2)", &merged);
	said = find_item(&merged.report, "app");
	assert_string_equal(said, "done: app, the container's own, is brought from 1 to 1.5 with the base's\n");
	for (size_t i = 0; i < merged.report.count; i++)
		if (text_equal(merged.report.items[i].subject, "app")) {
			assert_string_equal(merged.report.items[i].own, "1");
			assert_string_equal(merged.report.items[i].after, "1.5");
			assert_null(merged.report.items[i].before);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_fetched),
		cmocka_unit_test(test_item_of_a_fetched_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
