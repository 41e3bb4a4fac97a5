/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal of a transaction: what is written is read again, and what is damaged is not. */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/rebase/journal.h"
#include "../../liblayerbox/util/text.h"

static const struct stat st = {
	.st_ino = UINT64_MAX,
	.st_mode = S_IFDIR | 07755,
	.st_uid = UINT32_MAX - 1,
	.st_gid = 5,
	.st_size = INT64_MAX,
	.st_atim = { .tv_sec = -1, .tv_nsec = 999999999 },
	.st_mtim = { .tv_sec = 1700000000, .tv_nsec = 1 },
};

static char *make_text(void)
{
	CLEANUP_JOURNAL struct journal journal = { 0 }, more = { 0 };
	size_t length;
	char *text;

	assert_int_equal(journal_add(&journal, JOURNAL_PARENT, 0, &st, NULL, "."), 0);
	assert_int_equal(journal_add(&journal, JOURNAL_OUT, 1, NULL, NULL, "etc/a b\n\\134\x7f\xff\t"), 1);
	assert_int_equal(journal_add(&more, JOURNAL_REPLACE, UINT32_MAX, NULL, &st, "x/y"), 0);
	assert_int_equal(journal_add(&more, JOURNAL_ATTRIBUTES, 0, &st, &st, "..."), 1);
	assert_int_equal(journal_append(&journal, &more), 0);
	assert_int_equal(more.count, 0);
	text = journal_format(&journal, &length);
	assert_non_null(text);
	assert_int_equal(strlen(text), length);
	return text;
}

static void assert_same(const struct stat *a)
{
	assert_true(a->st_ino == st.st_ino && a->st_mode == st.st_mode && a->st_uid == st.st_uid && a->st_gid == st.st_gid);
	assert_true(a->st_size == st.st_size && a->st_atim.tv_sec == -1 && a->st_atim.tv_nsec == 999999999);
	assert_true(a->st_mtim.tv_sec == 1700000000 && a->st_mtim.tv_nsec == 1);
}

static void test_round(void **state)
{
	CLEANUP_JOURNAL struct journal journal = { 0 };
	CLEANUP_FREE char *text = make_text();

	(void)state;
	assert_int_equal(journal_parse(text, &journal), 0);
	assert_int_equal(journal.count, 4);
	assert_same(&journal.lines[0].was);
	assert_string_equal(journal.lines[0].path, ".");
	assert_string_equal(journal.lines[1].path, "etc/a b\n\\134\x7f\xff\t");
	assert_int_equal(journal.lines[2].verb, JOURNAL_REPLACE);
	assert_int_equal(journal.lines[2].number, UINT32_MAX);
	assert_same(&journal.lines[2].shall);
	assert_same(&journal.lines[3].was);
	assert_same(&journal.lines[3].shall);
}

static void test_empty(void **state)
{
	CLEANUP_JOURNAL struct journal journal = { 0 }, read = { 0 };
	size_t length;
	CLEANUP_FREE char *text = journal_format(&journal, &length);

	(void)state;
	assert_int_equal(journal_parse(text, &read), 0);
	assert_int_equal(read.count, 0);
	assert_int_equal(journal_parse("", &read), -EBADMSG);
	assert_int_equal(journal_parse("\n", &read), -EBADMSG);
	assert_int_equal(journal_parse("end 0 0\n", &read), -EBADMSG);
}

/* Torn at any length, or with any byte another. */
static void test_damaged(void **state)
{
	CLEANUP_JOURNAL struct journal journal = { 0 };
	CLEANUP_FREE char *text = make_text();
	size_t length = strlen(text);

	(void)state;
	for (size_t i = 0; i < length; i++) {
		char saved = text[i];

		text[i] = '\0';
		assert_int_equal(journal_parse(text, &journal), -EBADMSG);
		text[i] = saved == '1' ? '2' : '1';
		assert_int_equal(journal_parse(text, &journal), -EBADMSG);
		text[i] = saved;
	}
}

/* Whole by its checksum, and still nothing that we would write. */
static void test_bad_lines(void **state)
{
	static const char *const lines[] = {
		"out 1 - - /etc\n",     "out 1 - - ..\n",	 "out 1 - - a/../b\n", "out 1 - - a\\\n", "out 1 - - a\\9\n",
		"out 1 - - a\\000/b\n", "out 1 - - a\\057\\057\n", "out 1 - -\n",	     "out 1 - - a b\n",  "out x - - a\n",
		"in 1 - - a\n",	        "in 1 - 1:2:3 a\n",	 "away 1 - - a\n",     "\n",	          "out 1 - - \n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		CLEANUP_JOURNAL struct journal journal = { 0 };
		CLEANUP_FREE char *text =
			text_format("%send 1 %016llx\n", lines[i], (unsigned long long)text_hash(lines[i]));

		if (journal_parse(text, &journal) != -EBADMSG)
			fail_msg("accepted: %s", lines[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_bad_lines),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
