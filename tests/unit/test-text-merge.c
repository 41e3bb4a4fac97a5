/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/rebase/text-merge.h"
#include "../../liblayerbox/util/text.h"

static struct slice piece(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static void test_cases(void **state)
{
	static const struct {
		const char *old, *new, *own, *merged;
	} cases[] = {
		{ "", "", "", "" },
		{ "a\n", "b\n", "a\n", "b\n" },
		{ "a\n", "a\n", "b", "b" },
		{ "a\n", "", "", "" },
		{ "", "a\n", "b\n", NULL },
		{ "a\nb\nc\nd\ne\n", "A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\n", "A\nb\nc\nd\nE\n" },
		{ "a\nb\nc\nd\ne\n", "A\nb\nC\nd\ne\n", "A\nb\nc\nd\nE\n", "A\nb\nC\nd\nE\n" },
		{ "a\nb\nc\n", "A\nb\nc\n", "a\nB\nc\n", NULL },
		{ "a\nb\nc\n", "x\nb\nc\n", "y\nb\nc\n", NULL },
		{ "a\nb\nc\n", "a\nb\nc\nd", "1\na\nb\nc\n", "1\na\nb\nc\nd" },
		{ "a\nb\nc", "A\nb\nc", "a\nb\nc\n", "A\nb\nc\n" },
		{ "a\nb\nc\n", "b\nc\n", "a\nb\n", "b\n" },
		{ "a\nb\nc\n", "a\nb\nc\xff\n", "\xe9\nb\nc\n", "\xe9\nb\nc\xff\n" },
		{ "a\r\nb\r\nc\r\n", "A\r\nb\r\nc\r\n", "a\r\nb\r\nC\r\n", "A\r\nb\r\nC\r\n" },
		/* What looks like the marks of a conflict is a line like others. */
		{ "a\nb\nc\n", "<<<<<<< x\nb\nc\n", "a\nb\n>>>>>>> y\n", "<<<<<<< x\nb\n>>>>>>> y\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP_FREE char *merged = NULL;
		bool clean = !cases[i].merged;
		size_t length = 99;

		assert_int_equal(text_merge(piece(cases[i].old), piece(cases[i].new), piece(cases[i].own), &clean, &merged,
					    &length), 0);
		if (clean != (cases[i].merged != NULL))
			fail_msg("case %zu: %s", i, clean ? merged : "not clean");
		assert_int_equal(merged != NULL, clean);
		if (clean && !text_equal(merged, cases[i].merged))
			fail_msg("case %zu: \"%s\"", i, merged);
		if (clean)
			assert_int_equal(length, strlen(merged));
	}
}

static void test_no_text(void **state)
{
	const struct slice good = { "a\nb\n", 4 }, bad = { "a\n\0\n", 4 }, other = { "c\nb\n", 4 };
	const struct slice cases[][3] = { { bad, good, other }, { good, bad, other }, { good, other, bad }, { bad, bad, bad } };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char *merged = (char[]){ "x" };
		bool clean = true;
		size_t length;

		assert_int_equal(text_merge(cases[i][0], cases[i][1], cases[i][2], &clean, &merged, &length), 0);
		assert_false(clean);
		assert_null(merged);
	}
}

/* More than a pipe holds, and more than spawn_run() keeps of a program's words. */
static void test_large(void **state)
{
	CLEANUP_BUFFER struct buffer old = { 0 }, new = { 0 }, own = { 0 }, both = { 0 };
	CLEANUP_FREE char *merged = NULL;
	bool clean = false;
	size_t length = 0;

	(void)state;
	for (unsigned i = 0; i < 90000; i++) {
		buffer_format(&old, "line %u\n", i);
		buffer_format(&new, "%s %u\n", i % 4 ? "line" : "new", i);
		buffer_format(&own, "%s %u\n", i % 4 == 2 ? "own" : "line", i);
		buffer_format(&both, "%s %u\n", i % 4 == 0 ? "new" : i % 4 == 2 ? "own" : "line", i);
	}
	assert_int_equal(text_merge(piece(old.data), piece(new.data), piece(own.data), &clean, &merged, &length), 0);
	assert_true(clean);
	assert_int_equal(length, both.length);
	assert_string_equal(merged, both.data);
}

static void test_too_many_lines(void **state)
{
	enum { SIZE = 250000 };
	CLEANUP_FREE char *lines = malloc(SIZE + 1), *merged = NULL;
	bool clean = true;
	size_t length;

	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		lines[i] = i % 2 ? '\n' : 'x';
	lines[SIZE] = '\0';
	alarm(20);
	assert_int_equal(text_merge(piece("a\nb\nc\n"), piece("a\nb\nd\n"), piece(lines), &clean, &merged, &length), 0);
	alarm(0);
	assert_false(clean);
	assert_null(merged);
}

static void test_without_diff3(void **state)
{
	CLEANUP_FREE char *merged = NULL;
	bool clean = false;
	size_t length = 0;
	pid_t pid = fork_mortal();

	(void)state;
	if (pid == 0) {
		/* An empty directory where it is. */
		if (unshare(CLONE_NEWNS) < 0 || mount("none", "/usr/bin", "tmpfs", 0, NULL) < 0)
			_exit(2);
		_exit(text_merge(piece("a\nb\nc\n"), piece("A\nb\nc\n"), piece("a\nb\nC\n"), &clean, &merged, &length) != -ENOENT);
	}
	need_root();
	assert_int_equal(end_of(pid), 0);
	assert_int_equal(text_merge(piece("a\nb\nc\n"), piece("A\nb\nc\n"), piece("a\nb\nC\n"), &clean, &merged, &length), 0);
	assert_string_equal(merged, "A\nb\nC\n");
}

/* The descriptors that the texts are in could be 0, 1 and 2, which the program has for others. */
static void test_without_standard_descriptors(void **state)
{
	pid_t pid = fork_mortal();

	(void)state;
	if (pid == 0) {
		char *merged = NULL;
		bool clean = false;
		size_t length = 0;

		close_range(0, ~0U, 0);
		_exit(text_merge(piece("a\nb\nc\n"), piece("A\nb\nc\n"), piece("a\nb\nC\n"), &clean, &merged, &length) != 0 ||
		      !clean || !text_equal(merged, "A\nb\nC\n"));
	}
	assert_int_equal(end_of(pid), 0);
}

static uint32_t seed = 20261121;

static uint32_t next_random(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* Adds a line, unless it is one that was removed. */
static void put_line(struct buffer *buffer, bool there, const char *word, uint32_t number, const char *end)
{
	if (there)
		buffer_format(buffer, "%s%u%s", word, number, end);
	else
		buffer_add(buffer, "", 0);
}

/* Lines that a side changed stand apart by one at least: that is clean, and what comes of it is known. */
static void test_changes_apart(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 150; i++) {
		CLEANUP_BUFFER struct buffer old = { 0 }, new = { 0 }, own = { 0 }, both = { 0 };
		CLEANUP_FREE char *merged = NULL;
		bool clean = false;
		size_t length = 0;

		for (uint32_t line = 0, lines = 1 + next_random(40); line <= lines; line++) {
			uint32_t what = line % 2 ? 0 : next_random(5);
			const char *end = line == lines && next_random(2) ? "" : "\n";

			buffer_format(&old, "%u%s", line, end);
			put_line(&new, what != 2, what == 1 ? "new " : "", line, end);
			put_line(&own, what != 4, what == 3 ? "own " : "", line, end);
			put_line(&both, what != 2 && what != 4, what == 1 ? "new " : what == 3 ? "own " : "", line, end);
		}
		assert_int_equal(text_merge(piece(old.data), piece(new.data), piece(own.data), &clean, &merged, &length), 0);
		if (!clean || !text_equal(merged, both.data))
			fail_msg("round %u: \"%s\"", i, clean ? merged : "not clean");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_no_text),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_too_many_lines),
		cmocka_unit_test(test_without_diff3),
		cmocka_unit_test(test_without_standard_descriptors),
		cmocka_unit_test(test_changes_apart),
	};

	return cmocka_run_group_tests_name("text-merge", tests, scratch_enter, scratch_leave);
}
