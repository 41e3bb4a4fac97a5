/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <time.h>

#include "../../liblayerbox/rebase/keyed-merge.h"
#include "../../liblayerbox/util/text.h"

static const struct {
	enum keyed_form form;
	struct three_texts texts;
	const char *merged;
} cases[] = {
	/* Whole texts: taken as they are. */
	{ KEYED_LINES, { NULL, NULL, NULL }, "" },
	{ KEYED_LINES, { "", "", "" }, "" },
	{ KEYED_LINES, { NULL, "b\n\na", NULL }, "b\n\na" },
	{ KEYED_LINES, { "a\n", NULL, "a\n" }, "" },
	{ KEYED_LINES, { "a\n", "a\n", NULL }, "" },
	{ KEYED_LINES, { "a\n", "a\n", "c\n\na" }, "c\n\na" },
	{ KEYED_LINES, { NULL, "a\n", "a\n" }, "a\n" },
	/* Lines are there or not. */
	{ KEYED_LINES, { "a x\n", "b x\na x\n", "c x\na x\n" }, "b x\na x\nc x\n" },
	{ KEYED_LINES, { "a\nb\nc\n", "a\nb\n", "b\nc\n" }, "b\n" },
	{ KEYED_LINES, { "a\n", "", "a\na\n" }, "a\n" },
	{ KEYED_LINES, { "", "a\n", "a\nb" }, "a\nb\n" },
	{ KEYED_LINES, { "a\nb\n", "a\n", "b\n" }, "" },
	{ KEYED_LINES, { "a\n", "a\r\n", "a\nb\n" }, "a\r\nb\n" },
	/* A path, where its file went, and who diverts it. */
	{ KEYED_DIVERSIONS, { "/a\n/a.d\np\n", "/a\n/a.d\np\n/n\n/n.d\nq\n", "/a\n/a.d\np\n/o\n/o.d\n:\n" },
	  "/a\n/a.d\np\n/n\n/n.d\nq\n/o\n/o.d\n:\n" },
	{ KEYED_DIVERSIONS, { "/a\n/a.d\np\n", "/a\n/a.new\np\n", "/a\n/a.own\np\n" }, "/a\n/a.own\np\n" },
	{ KEYED_DIVERSIONS, { "", "/a\n/a.new\np\n", "/a\n/a.own\n:\n" }, "/a\n/a.own\n:\n" },
	{ KEYED_DIVERSIONS, { "/a\n/a.d\np\n/b\n/b.d\np\n", "/a\n/a.new\np\n/b\n/b.d\np\n", "/a\n/a.d\np\n" },
	  "/a\n/a.new\np\n" },
	{ KEYED_DIVERSIONS, { "/a\n/a.d\np\n", "", "/a\n/a.d\np\n/b\n/b.d" }, "/b\n/b.d\n" },
	{ KEYED_DIVERSIONS, { "", "/a\n", "/b\n/b.d\n" }, "/a\n/b\n/b.d\n" },
	/* A path of the package manager's may hold spaces. */
	{ KEYED_STATOVERRIDE, { "root root 755 /a b\n", "root adm 755 /a b\n", "root root 700 /a b\nroot root 1 /c\n" },
	  "root root 700 /a b\nroot root 1 /c\n" },
	{ KEYED_STATOVERRIDE, { "r r 1 /a\nr r 1 /b\n", "r r 2 /a\nr r 1 /b\n", "r r 1 /a\nr r 3 /b\n" }, "r r 2 /a\nr r 3 /b\n" },
	{ KEYED_STATOVERRIDE, { "", "r r 1 /a\n", "r r\nr r 1 \nx\n" }, "r r 1 /a\nr r\nr r 1 \nx\n" },
	/* Stanzas. */
	{ KEYED_DEBCONF,
	  { "Name: a\nValue: 1\n\nName: b\nValue: 1\n\n", "Name: a\nValue: 2\n\nName: b\nValue: 1\n\nName: c\n\n",
	    "Name: a\nValue: 1\n\nName: b\nValue: 3\n\nName: d\n" },
	  "Name: a\nValue: 2\n\nName: b\nValue: 3\n\nName: c\n\nName: d\n\n" },
	{ KEYED_DEBCONF, { "Name: a\nV: 1\n\n", "Name: a\nV: 2\n\n", "\n\nV: 3\nname:a\n\n\n\n" }, "V: 3\nname:a\n\n" },
	{ KEYED_DEBCONF, { "Name: a\n\n", "\n", "Name: a\n\nno name\n" }, "no name\n\n" },
	/* A sum or a package, and a path. */
	{ KEYED_UCF_HASHES, { "1  /a\n1  /b\n", "2  /a\n1  /b\n3  /n\n", "1  /a\n9  /b\n4  /o\n" },
	  "2  /a\n9  /b\n3  /n\n4  /o\n" },
	{ KEYED_UCF_REGISTRY, { "p \t /a\n", "q \t /a\n", "p \t /a\no \t /o\n" }, "q \t /a\no \t /o\n" },
	{ KEYED_UCF_REGISTRY, { "p /a\n", "q /a\n", "r\t/a\n" }, "r\t/a\n" },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP_FREE char *merged = NULL;

		assert_int_equal(keyed_merge(cases[i].form, &cases[i].texts, &merged), 0);
		if (!text_equal(merged, cases[i].merged))
			fail_msg("case %zu: \"%s\"", i, merged);
	}
}

static uint32_t seed = 20261121;

static uint32_t next_random(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static char *random_text(void)
{
	static const char *const words[] = { "a", "b", " ", "\n", "\n\n", "\t", "Name: ", "/x", "r r 1 ", "\r", "Name:\n" };
	CLEANUP_BUFFER struct buffer text = { 0 };

	for (uint32_t n = next_random(30); n > 0; n--)
		buffer_add_text(&text, words[next_random(sizeof words / sizeof *words)]);
	return buffer_finish(&text);
}

/* Does every line of @text stand in one of the others? */
static bool lines_are_of(const char *text, const char *a, const char *b)
{
	CLEANUP_FREE char *all = text_format("\n%s\n%s\n", a, b);
	struct slice rest = { text, strlen(text) }, line;
	bool all_found = true;

	while (slice_cut(&rest, '\n', &line)) {
		CLEANUP_FREE char *wanted = text_format("\n%.*s\n", (int)line.length, line.data);

		all_found = all_found && (line.length == 0 || strstr(all, wanted));
	}
	return all_found;
}

/* Nothing comes from nowhere, and what was merged once is not merged again. */
static void test_any_text(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 30000; i++) {
		CLEANUP_FREE char *old = random_text(), *new = random_text(), *own = random_text(), *merged = NULL, *again = NULL;
		enum keyed_form form = i % (KEYED_UCF_REGISTRY + 1);
		const struct three_texts texts = { old, new, own };

		assert_int_equal(keyed_merge(form, &texts, &merged), 0);
		if (!lines_are_of(merged, new, own))
			fail_msg("round %u: \"%s\"", i, merged);
		assert_int_equal(keyed_merge(form, &(const struct three_texts){ new, new, merged }, &again), 0);
		assert_string_equal(again, merged);
	}
}

/* Two million bytes of anything: not a matter of more than moments. */
static void test_large_texts(void **state)
{
	enum { SIZE = 2000000 };
	CLEANUP_FREE char *old = malloc(SIZE + 1), *own = malloc(SIZE + 1);
	struct timespec begin, end;

	(void)state;
	for (size_t i = 0; i < SIZE; i++) {
		old[i] = i % 2 ? '\n' : 'a';
		own[i] = i % 8 == 7 ? '\n' : (char)('a' + next_random(3));
	}
	old[SIZE] = own[SIZE] = '\0';
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (enum keyed_form form = 0; form <= KEYED_UCF_REGISTRY; form++) {
		CLEANUP_FREE char *merged = NULL;

		assert_int_equal(keyed_merge(form, &(const struct three_texts){ old, "b\n", own }, &merged), 0);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	assert_true(end.tv_sec - begin.tv_sec < 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_any_text),
		cmocka_unit_test(test_large_texts),
	};

	return cmocka_run_group_tests_name("keyed-merge", tests, NULL, NULL);
}
