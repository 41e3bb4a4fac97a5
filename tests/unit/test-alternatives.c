/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/rebase/alternatives.h"
#include "../../liblayerbox/util/text.h"

#define HEAD(mode) mode "\n/usr/bin/ed\ned.1\n/man/ed.1\n\n"
#define NANO "/bin/nano\n40\n/man/nano.1\n"
#define VIM "/bin/vim\n30\n/man/vim.1\n"
#define VIM_NEW "/bin/vim\n35\n/man/vim.1\n"
#define JOE "/bin/joe\n50\n\n"
#define WITH_RU(mode) mode "\n/usr/bin/ed\ned.1\n/man/ed.1\ned.ru.1\n/man/ru/ed.1\n\n"
#define VIM_RU "/bin/vim\n30\n/man/vim.1\n/man/ru/vim.1\n"
#define NANO_NO_RU "/bin/nano\n40\n/man/nano.1\n\n"
#define WITH_DE(mode) mode "\n/usr/bin/ed\ned.1\n/man/ed.1\ned.de.1\n/man/de/ed.1\n\n"
#define NANO_DE "/bin/nano\n40\n/man/nano.1\n/man/de/nano.1\n"

static const struct {
	struct three_texts texts;
	const char *merged;
	bool automatic;
} cases[] = {
	/* One side, or both the same: as it is, also what cannot be read. */
	{ { NULL, NULL, NULL }, NULL, false },
	{ { NULL, "rubbish", NULL }, "rubbish", false },
	{ { "x", "x", "rubbish" }, "rubbish", false },
	{ { HEAD("auto") NANO "\n", NULL, HEAD("auto") NANO "\n" }, NULL, false },
	{ { HEAD("auto") NANO "\n", HEAD("auto") NANO "\n", NULL }, NULL, false },
	{ { NULL, HEAD("auto") NANO "\n", HEAD("auto") NANO "\n" }, HEAD("auto") NANO "\n", false },
	/* Choices of both. */
	{ { HEAD("auto") NANO "\n", HEAD("auto") NANO VIM "\n", HEAD("auto") JOE NANO "\n" }, HEAD("auto") JOE NANO VIM "\n", true },
	{ { NULL, HEAD("auto") VIM "\n", HEAD("auto") NANO "\n" }, HEAD("auto") NANO VIM "\n", true },
	/* Removed by one side. */
	{ { HEAD("auto") NANO VIM "\n", HEAD("auto") VIM "\n", HEAD("auto") JOE NANO VIM "\n" }, HEAD("auto") JOE VIM "\n", true },
	{ { HEAD("auto") NANO VIM "\n", HEAD("auto") NANO VIM_NEW "\n", HEAD("auto") VIM "\n" }, HEAD("auto") VIM_NEW "\n", true },
	{ { HEAD("auto") NANO "\n", NULL, HEAD("auto") JOE NANO "\n" },
	  "auto\n/usr/bin/ed\n\n/bin/joe\n50\n\n", true },
	{ { HEAD("auto") NANO "\n", HEAD("auto") NANO VIM "\n", NULL }, HEAD("auto") VIM "\n", true },
	{ { HEAD("auto") NANO VIM "\n", HEAD("auto") VIM "\n", HEAD("auto") NANO "\n" }, NULL, false },
	/* Changed by both: the container's. */
	{ { NULL, HEAD("auto") VIM_NEW "\n", HEAD("auto") NANO VIM "\n" }, HEAD("auto") NANO VIM "\n", true },
	/* By hand stays by hand, and what the base made so is so. */
	{ { HEAD("auto") NANO "\n", HEAD("auto") NANO VIM "\n", HEAD("manual") NANO "\n" }, HEAD("manual") NANO VIM "\n", false },
	{ { HEAD("auto") NANO "\n", HEAD("manual") NANO VIM "\n", HEAD("auto") JOE NANO "\n" }, HEAD("manual") JOE NANO VIM "\n", false },
	{ { HEAD("manual") NANO "\n", HEAD("manual") NANO VIM "\n", HEAD("auto") NANO "\n" }, HEAD("auto") NANO VIM "\n", true },
	{ { NULL, HEAD("manual") VIM "\n", HEAD("auto") NANO "\n" }, HEAD("auto") NANO VIM "\n", true },
	/* Slaves that only one side has; those that nobody has any more go. */
	{ { HEAD("auto") NANO "\n", WITH_RU("auto") NANO_NO_RU VIM_RU "\n", HEAD("auto") JOE NANO "\n" },
	  WITH_RU("auto") "/bin/joe\n50\n\n\n" NANO_NO_RU VIM_RU "\n", true },
	{ { NULL, WITH_RU("auto") VIM_RU "\n", WITH_DE("auto") NANO_DE "\n" },
	  "auto\n/usr/bin/ed\ned.1\n/man/ed.1\ned.de.1\n/man/de/ed.1\ned.ru.1\n/man/ru/ed.1\n\n"
	  "/bin/nano\n40\n/man/nano.1\n/man/de/nano.1\n\n/bin/vim\n30\n/man/vim.1\n\n/man/ru/vim.1\n\n", true },
	{ { WITH_RU("auto") NANO_NO_RU VIM_RU "\n", HEAD("auto") NANO "\n", WITH_RU("auto") "/bin/joe\n50\n\n\n" NANO_NO_RU VIM_RU "\n" },
	  HEAD("auto") "/bin/joe\n50\n\n" NANO "\n", true },
	/* In another order, it is the same. */
	{ { "auto\n/l\nb\n/b\na\n/a\n\n/c\n1\n/cb\n/ca\n\n", "auto\n/l\na\n/a\nb\n/b\n\n/c\n1\n/ca\n/cb\n\n",
	    "auto\n/l\na\n/a\nb\n/b\n\n/d\n-1\n/da\n\n\n" },
	  "auto\n/l\na\n/a\n\n/d\n-1\n/da\n\n", true },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP_FREE char *merged = NULL;
		bool automatic = !cases[i].automatic;

		assert_int_equal(alternative_merge(&cases[i].texts, &merged, &automatic), 0);
		if (!merged != !cases[i].merged || (merged && !text_equal(merged, cases[i].merged)))
			fail_msg("case %zu: \"%s\"", i, merged ? merged : "(none)");
		if (automatic != cases[i].automatic)
			fail_msg("case %zu: automatic is %d", i, automatic);
	}
}

static void test_refuses(void **state)
{
	static const char *const bad[] = {
		"",
		"auto",
		"auto\n",
		"other\n/usr/bin/ed\n\n" "/a\n1\n\n",
		"auto\n\n\n/a\n1\n\n",
		HEAD("auto"),
		HEAD("auto") NANO,
		HEAD("auto") "/a\n1\n",
		HEAD("auto") "/a\n1\n/man/a",
		HEAD("auto") "/a\none\n\n\n",
		HEAD("auto") "/a\n\n\n\n",
		HEAD("auto") "/a\n-\n\n\n",
		HEAD("auto") "/a\n99999999999\n\n\n",
		HEAD("auto") NANO NANO "\n",
		HEAD("auto") NANO "\n\n",
		HEAD("auto") NANO "\nx",
		"auto\n/usr/bin/other\n\n/a\n1\n\n",
		"auto\n/usr/bin/ed\ned.1\n/man/ed.1\ned.1\n/x\n\n/a\n1\n\n\n\n",
		"auto\n/usr/bin/ed\ned.1\n/man/ed.1\ned.2\n/man/ed.1\n\n/a\n1\n\n\n\n",
		"auto\n/usr/bin/ed\ned.1\n/usr/bin/ed\n\n/a\n1\n\n\n",
		"auto\n/usr/bin/ed\ned.1\n\n/a\n1\n\n\n",
		/* Another link for a slave that the base's has too. */
		"auto\n/usr/bin/ed\ned.1\n/other\n\n/a\n1\n/x\n\n",
		"auto\n/usr/bin/ed\nother\n/man/ed.1\n\n/a\n1\n/x\n\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct three_texts texts = { HEAD("auto") NANO "\n", HEAD("auto") NANO VIM "\n", bad[i] };
		bool automatic;
		char *merged;

		if (alternative_merge(&texts, &merged, &automatic) != -EINVAL)
			fail_msg("case %zu was read", i);
	}
}

static uint32_t seed = 20261121;

static uint32_t next_random(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* Mostly one that can be read. */
static char *random_alternative(void)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	uint32_t slaves = next_random(4), choices = next_random(5), from = next_random(3);

	buffer_format(&text, "%s\n/link\n", next_random(2) ? "auto" : "manual");
	for (uint32_t i = 0; i < slaves; i++)
		buffer_format(&text, "s%u\n/s%u\n", i + from, next_random(40) ? i + from : 1);
	buffer_add_text(&text, "\n");
	for (uint32_t i = 0; i < choices; i++) {
		buffer_format(&text, "/c%u\n%u\n", i * 2 + next_random(2), next_random(3));
		for (uint32_t j = 0; j < slaves; j++)
			buffer_add_text(&text, next_random(2) ? "\n" : "/f\n");
	}
	buffer_add_text(&text, "\n");
	if (next_random(20) == 0)
		text.data[next_random((uint32_t)text.length)] = '\n';
	return next_random(15) ? buffer_finish(&text) : NULL;
}

/* What comes of a merge can be merged again, and does not change by that. */
static void test_any_text(void **state)
{
	unsigned merges = 0;

	(void)state;
	for (unsigned i = 0; i < 30000; i++) {
		CLEANUP_FREE char *old = random_alternative(), *new = random_alternative(), *own = random_alternative();
		CLEANUP_FREE char *merged = NULL, *again = NULL;
		const char *other = "auto\n/link\n\n/other\n1\n\n";
		bool automatic = false;
		int r = alternative_merge(&(const struct three_texts){ old, new, own }, &merged, &automatic);

		assert_true(r == 0 || r == -EINVAL);
		if (r < 0 || !merged || !automatic)
			continue;
		merges++;
		r = alternative_merge(&(const struct three_texts){ NULL, merged, other }, &again, &automatic);
		if (r < 0)
			fail_msg("round %u: cannot be read: \"%s\"", i, merged);
		assert_contains(again, "/other\n1\n");
	}
	assert_true(merges > 5000);
}

static void test_limits(void **state)
{
	const char *const small = HEAD("auto") NANO "\n";
	CLEANUP_BUFFER struct buffer slaves = { 0 }, choices = { 0 }, names = { 0 };
	struct three_texts texts = { NULL, small, NULL };
	bool automatic;
	char *merged;

	(void)state;
	buffer_add_text(&slaves, "auto\n/usr/bin/ed\n");
	for (unsigned i = 0; i < 300; i++)
		buffer_format(&slaves, "s%u\n/s%u\n", i, i);
	buffer_add_text(&slaves, "\n\n");
	texts.own = slaves.data;
	assert_int_equal(alternative_merge(&texts, &merged, &automatic), -EINVAL);
	buffer_add_text(&choices, "auto\n/usr/bin/ed\n\n");
	for (unsigned i = 0; i < 2000; i++)
		buffer_format(&choices, "/c%u\n1\n", i);
	buffer_add_text(&choices, "\n");
	texts.own = choices.data;
	assert_int_equal(alternative_merge(&texts, &merged, &automatic), -EINVAL);
	buffer_format(&names, "auto\n/usr/bin/ed\n%0100000d\n/s\n\n", 1);
	for (unsigned i = 0; i < 1000; i++)
		buffer_format(&names, "/c%u\n1\nf\n", i);
	buffer_add_text(&names, "\n");
	texts.own = names.data;
	assert_int_equal(alternative_merge(&texts, &merged, &automatic), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_any_text),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("alternatives", tests, NULL, NULL);
}
