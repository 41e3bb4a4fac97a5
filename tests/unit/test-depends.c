/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/rebase/packages.h"

/* dpkg, whose architecture is the native one, and "NAME[:ARCH] VERSION[! FIELD]...; ..." */
static char *make_status(const char *list)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	CLEANUP_FREE char *whole = text_format("dpkg 1;%s", list);

	for (char *rest = whole, *one = strsep(&rest, ";"); one; one = strsep(&rest, ";")) {
		char *head = text_trim(strsep(&one, "!")), *version = strchr(head, ' '), *architecture;

		if (!version)
			continue;
		*version++ = '\0';
		architecture = strchr(head, ':');
		if (architecture)
			*architecture++ = '\0';
		buffer_format(&text, "Package: %s\nStatus: install ok installed\nArchitecture: %s\nVersion: %s\n", head,
			      architecture ? architecture : "amd64", version);
		while (one)
			buffer_format(&text, "%s\n", text_trim(strsep(&one, "!")));
		buffer_add_text(&text, "\n");
	}
	return buffer_finish(&text);
}

/* What conflicts say, a line each. */
static char *conflicts_of(const char *old, const char *new, const char *own)
{
	CLEANUP_FREE char *old_text = make_status(old), *new_text = make_status(new), *own_text = make_status(own);
	const struct three_texts status = { .old = old_text, .new = new_text, .own = own_text };
	CLEANUP(report_free) struct report report = { 0 };
	CLEANUP(package_merge_free) struct package_merge merge = { 0 };
	CLEANUP_BUFFER struct buffer said = { 0 };
	char error[300];

	assert_int_equal(packages_merge(&status, &report, &merge, error, sizeof error), 0);
	assert_false(report.failed);
	for (size_t i = 0; i < report.count; i++)
		if (report.items[i].outcome == LB_REBASE_CONFLICT)
			buffer_format(&said, "%s: %s\n", report.items[i].subject, report.items[i].text);
	return buffer_finish(&said);
}

static void expect(const char *old, const char *new, const char *own, const char *conflict)
{
	CLEANUP_FREE char *said = conflicts_of(old, new, own);

	if (conflict)
		assert_contains(said, conflict);
	else if (*said)
		fail_msg("[%s] -> [%s], own [%s]: %s", old, new, own, said);
}

/* A package of the container's own, whose relation held in the old base: does it in the new one? */
static void test_relations(void **state)
{
	static const struct {
		const char *relation, *old, *new;
		bool holds;
	} cases[] = {
		{ "Depends: lib", "lib 1", "lib 2", true },
		{ "Depends: lib", "lib 1", "", false },
		{ "Pre-Depends: lib", "lib 1", "", false },
		{ "Depends: lib (= 1)", "lib 1", "lib 1", true },
		{ "Depends: lib (= 1)", "lib 1", "lib 1-1", false },
		{ "Depends: lib (>= 1)", "lib 1", "lib 2", true },
		{ "Depends: lib (>= 2)", "lib 2", "lib 1", false },
		{ "Depends: lib (>> 1)", "lib 2", "lib 1", false },
		{ "Depends: lib (>> 1)", "lib 2", "lib 1.1", true },
		{ "Depends: lib (<< 2)", "lib 1", "lib 2", false },
		{ "Depends: lib (<< 2)", "lib 1", "lib 2~rc1", true },
		{ "Depends: lib (<= 2)", "lib 1", "lib 2", true },
		{ "Depends: lib (<= 2)", "lib 1", "lib 2.1", false },
		{ "Depends: lib (>=1)", "lib 1", "lib 0.9", false },
		{ "Depends: lib(>= 1)", "lib 1", "lib 0.9", false },
		{ "Depends: a | lib", "lib 1", "a 1", true },
		{ "Depends: a (>= 2) | lib (>= 1)", "lib 1", "a 1", false },
		{ "Depends: x, a | lib, y", "x 1; y 1; lib 1", "x 1; y 1", false },
		{ "Depends: x,\n lib,", "x 1; lib 1", "x 1", false },
		{ "Depends: x,\n lib,", "x 1; lib 1", "x 1; lib 1", true },
		{ "Depends: mta", "a 1! Provides: mta", "b 1! Provides: x, mta", true },
		{ "Depends: mta", "a 1! Provides: mta", "a 1", false },
		{ "Depends: mta (>= 2)", "a 1! Provides: mta (= 2)", "a 2! Provides: mta (= 3)", true },
		{ "Depends: mta (>= 2)", "a 1! Provides: mta (= 2)", "a 2! Provides: mta", false },
		{ "Depends: mta (>= 2)", "a 1! Provides: mta (= 2)", "a 2! Provides: mta (= 1)", false },
		{ "Depends: lib (>= 2)", "lib 2", "lib 1; a 1! Provides: lib (= 2)", true },
		{ "Depends: lib:any", "lib 1! Multi-Arch: allowed", "lib 2! Multi-Arch: allowed", true },
		{ "Depends: lib:any (>= 2)", "lib 2", "lib 1", false },
		{ "Depends: lib:amd64", "lib 1", "lib 1", true },
		{ "Depends: lib:i386", "lib:i386 1", "lib 1", false },
		{ "Depends: lib", "lib 1", "lib:i386 1", false },
		{ "Depends: lib", "lib 1", "lib:i386 1! Multi-Arch: foreign", true },
		{ "Depends: lib", "lib 1", "lib:all 1", true },
		{ "Conflicts: lib", "x 1", "lib 1", false },
		{ "Conflicts: lib (<< 2)", "lib 2", "lib 2.1", true },
		{ "Conflicts: lib (<< 2)", "lib 2", "lib 1", false },
		{ "Conflicts: mta", "x 1", "a 1! Provides: mta", false },
		{ "Conflicts: mta (<< 2)", "x 1", "a 1! Provides: mta", true },
		{ "Conflicts: app", "x 1", "x 2", true },
		{ "Conflicts: mta! Provides: mta", "x 1", "x 2", true },
		{ "Conflicts: mta! Provides: mta", "x 1", "a 1! Provides: mta", false },
		{ "Breaks: lib (>> 1)", "lib 1", "lib 1", true },
		{ "Breaks: lib (>> 1)", "lib 1", "lib 2", false },
		{ "Breaks: lib", "x 1", "lib:i386 1", false },
		{ "Recommends: lib", "lib 1", "", true },
		/* Of what cannot be read nobody knows that it held. */
		{ "Depends: lib (1)", "lib 1", "", true },
		{ "Depends: (>= 1)", "lib 1", "", true },
		{ "Depends: lib (>= 1", "lib 1", "", true },
		{ "Depends: lib (>= )", "lib 1", "", true },
		{ "Depends: , |, ,", "lib 1", "", true },
		{ "Depends:", "lib 1", "", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP_FREE char *own = text_format("%s; app 1! %s", cases[i].old, cases[i].relation);

		expect(cases[i].old, cases[i].new, own, cases[i].holds ? NULL : "app: app 1 of the container ");
	}
}

static void test_sentences(void **state)
{
	(void)state;
	expect("lib 1", "lib 2", "lib 1; app 3! Depends: lib (<< 2) | other",
	       "app: app 3 of the container depends on lib (<< 2) | other, but there would be lib 2, no other; in the "
	       "container, "
	       "upgrade or remove it first, or let --fetch bring a version that fits\n");
	expect("lib 1", "lib 1; app 2! Pre-Depends: lib", "",
	       "app: app 2 of the new base pre-depends on lib, but there would be no lib; in the container, install, "
	       "upgrade or "
	       "unhold what it needs first\n");
	expect("", "new 2! Breaks: app (<< 2)", "app 1",
	       "new: new 2 of the new base breaks app (<< 2), but there would be app 1 of the container; in the "
	       "container, upgrade "
	       "or remove app first, or let --fetch bring a version that fits\n");
	expect("", "x 1", "app 1! Conflicts: x",
	       "app: app 1 of the container conflicts with x, but there would be x 1 of the new base; in the "
	       "container, upgrade or "
	       "remove app first, or let --fetch bring a version that fits\n");
}

/* The container's owner is not stopped by what was broken before. */
static void test_broken_before_is_no_conflict(void **state)
{
	(void)state;
	expect("lib 1", "lib 2", "lib 1; app 1! Depends: never", NULL);
	expect("lib 1", "lib 2", "lib 1; app 1! Conflicts: lib", NULL);
	expect("a 1! Depends: never", "a 2! Depends: never", "a 1! Depends: never", NULL);
	expect("", "a 2! Depends: never", "", NULL);
	/* In the container with the same relation broken, though the base has it whole. */
	expect("a 1! Depends: lib; lib 1", "a 2! Depends: lib; lib 2", "a 1! Depends: lib", NULL);
	/* But whole in the container, and broken by the base. */
	expect("a 1! Depends: lib; lib 1", "a 1! Depends: lib", "a 1! Depends: lib; lib 1",
	       "a: a 1 of the new base depends on lib");
}

/* What the new base asks for is not there, since the container has removed or held it. */
static void test_base_needs_what_the_container_keeps_back(void **state)
{
	(void)state;
	expect("lib 1", "lib 1; a 1! Depends: lib", "",
	       "a: a 1 of the new base depends on lib, but there would be no lib");
	expect("lib 2", "lib 2; a 1! Depends: lib (>= 2)", "lib 1",
	       "a 1 of the new base depends on lib (>= 2), but there would be "
	       "lib 1");
	expect("a 1! Depends: lib; lib 1", "a 2! Depends: lib (>= 2); lib 2", "a 1! Depends: lib; lib 1", NULL);
}

static void test_two_architectures(void **state)
{
	static const char both[] = "lib 1! Multi-Arch: same; lib:i386 1! Multi-Arch: same";
	static const char newer[] = "lib 2! Multi-Arch: same";

	(void)state;
	expect("lib 1! Multi-Arch: same", newer, both,
	       "lib:i386: lib would be there as amd64 2 of the new base and as i386 1 of the container, which dpkg "
	       "does not allow");
	expect("lib 1! Multi-Arch: same", newer, "lib 2! Multi-Arch: same; lib:i386 2! Multi-Arch: same", NULL);
	expect("lib 1! Multi-Arch: same", "lib 1! Multi-Arch: same; x 1", both, NULL);
	/* Nor is one in conflict with itself, though it never met the other architecture in the base. */
	expect("lib 1! Multi-Arch: same", "lib 2! Multi-Arch: same! Conflicts: lib",
	       "lib 1! Multi-Arch: same; lib:i386 2! Multi-Arch: same", NULL);
	expect("", "tool 2", "tool:i386 1",
	       "tool would be there as amd64 2 of the new base and as i386 1 of the container");
}

static void test_relation_with_bytes_for_terminals(void **state)
{
	CLEANUP_FREE char *said = conflicts_of("lib 1", "", "lib 1; app 1! Depends: lib | \x1b\xff");

	(void)state;
	assert_contains(said, "depends on lib | ??, but there would be no lib, no ??;");
}

/* Quadratic in what a hostile text can hold: ends soon, with a sentence. */
static void test_entangled_database(void **state)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	const char *dpkg = "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n";
	struct three_texts status = { .old = dpkg, .new = dpkg };
	struct report report = { 0 };
	struct package_merge merge = { 0 };
	char error[300] = "";

	(void)state;
	buffer_add_text(&text, dpkg);
	for (int i = 0; i < 20000; i++)
		buffer_format(
			&text,
			"Package: p%d\nStatus: install ok installed\nVersion: 1\nProvides: x\nDepends: x (= 0)\n\n", i);
	status.own = text.data;
	assert_int_equal(packages_merge(&status, &report, &merge, error, sizeof error), -EINVAL);
	assert_contains(error, "would take too long to check");
	assert_null(merge.status);
	report_free(&report);
}

static void expect_too_large(const char *own, const char *sentence)
{
	const char *dpkg = "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n";
	const struct three_texts status = { .old = dpkg, .new = dpkg, .own = own };
	CLEANUP(report_free) struct report report = { 0 };
	CLEANUP(package_merge_free) struct package_merge merge = { 0 };
	char error[300] = "";

	assert_int_equal(packages_merge(&status, &report, &merge, error, sizeof error), -EINVAL);
	assert_contains(error, sentence);
	assert_contains(error, "would take too long to check");
}

/* A byte or two of the text for each: many times that in memory. */
static void test_too_many_relations(void **state)
{
	static const char *const relations[] = { "Provides: a", "Depends: a", "Pre-Depends: a", "Conflicts: a",
						 "Breaks: a" };
	static const char *const more[] = { ",a", "|a" };

	(void)state;
	for (size_t i = 0; i < sizeof relations / sizeof *relations; i++) {
		CLEANUP_BUFFER struct buffer text = { 0 };

		buffer_add_text(&text, "Package: p\nStatus: install ok installed\nVersion: 1\n");
		buffer_add_text(&text, relations[i]);
		for (int k = 0; k < 500 * 1000; k++)
			buffer_add_text(&text, more[i % 2]);
		buffer_add_text(&text, "\n\n");
		expect_too_large(text.data, "the container's package database has more than 500000 dependencies");
	}
}

static void test_too_many_packages(void **state)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	(void)state;
	for (int i = 0; i <= 100 * 1000; i++)
		buffer_format(&text, "Package: p%d\nStatus: install ok installed\nVersion: 1\n\n", i);
	expect_too_large(text.data, "the container's package database has more than 100000 packages");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_relations),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_broken_before_is_no_conflict),
		cmocka_unit_test(test_base_needs_what_the_container_keeps_back),
		cmocka_unit_test(test_two_architectures),
		cmocka_unit_test(test_relation_with_bytes_for_terminals),
		cmocka_unit_test(test_entangled_database),
		cmocka_unit_test(test_too_many_relations),
		cmocka_unit_test(test_too_many_packages),
	};

	return cmocka_run_group_tests_name("depends", tests, NULL, NULL);
}
