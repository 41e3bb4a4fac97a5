/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/util/keyfile.h"
#include "../../liblayerbox/util/text.h"

/* Keeps what was assigned as "key=value;", and refuses the key "bad". */
static const char *keep(const char *key, const char *value, void *userdata)
{
	if (text_equal(key, "bad"))
		return "is bad";
	buffer_format(userdata, "%s=%s;", key, value);
	return NULL;
}

static int parse(const char *text, char *seen, size_t seen_size, char *error, size_t error_size)
{
	CLEANUP_BUFFER struct buffer buffer = { 0 };
	CLEANUP_FREE char *copy = strdup(text);
	int r = keyfile_parse(copy, "f.conf", keep, &buffer, error, error_size);

	assert_true(text_copy(seen, seen_size, buffer.data ? buffer.data : ""));
	return r;
}

static void test_accepts(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "\n\n  \n", "" },
		{ "a = b\n", "a=b;" },
		{ "a=b", "a=b;" },
		{ "a = b\nc = d", "a=b;c=d;" },
		{ "  a\t=  b c  \n", "a=b c;" },
		{ "a =\n", "a=;" },
		{ "a = \"b\"\n", "a=\"b\";" },
		{ "a = b = c\n", "a=b = c;" },
		{ "a = 1\na = 2\n", "a=1;a=2;" },
		{ "# remark\n  # another\na = b # not a remark\n", "a=b # not a remark;" },
		{ "a = b \\\n  c\n", "a=b    c;" },
		{ "a = b\\\nc\\\nd\ne = f\n", "a=b c d;e=f;" },
		{ "a = b\\", "a=b\\;" },
		{ "a = C:\\dir\n", "a=C:\\dir;" },
		{ "# remark \\\na = b\n", "a=b;" },
		{ "  # remark \\\na = b\n", "a=b;" },
		{ "a = b\r\nc = d\r\n", "a=b;c=d;" },
		{ "a = b \\\r\n  c\r\n", "a=b    c;" },
		{ "a = \xc3\xa9\n", "a=\xc3\xa9;" },
	};
	char seen[128], error[128];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(parse(cases[i][0], seen, sizeof seen, error, sizeof error), 0);
		assert_string_equal(seen, cases[i][1]);
	}
}

static void test_refuses_with_file_and_line(void **state)
{
	static const struct {
		const char *text, *error, *seen;
	} cases[] = {
		{ "word\n", "f.conf:1: expected `key = value`, found \"word\"", "" },
		{ "a = b\n\n# x\nword", "f.conf:4: expected", "a=b;" },
		{ "= b\n", "f.conf:1: expected", "" },
		{ "  = b\n", "f.conf:1: expected", "" },
		{ "a = b \\\n c \\\n d\nword\n", "f.conf:4: expected", "a=b   c   d;" },
		{ "a = 1\nbad = \\\n  2\nc = 3\n", "f.conf:2: bad is bad", "a=1;" },
		{ "\x1b[31m\n", "found \"?[31m\"", "" },
	};
	char seen[128], error[128];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(parse(cases[i].text, seen, sizeof seen, error, sizeof error), -EINVAL);
		assert_contains(error, cases[i].error);
		assert_string_equal(seen, cases[i].seen);
	}
}

static void test_error_is_bounded(void **state)
{
	char text[5000], seen[16], error[40];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_int_equal(parse(text, seen, sizeof seen, error, sizeof error), -EINVAL);
	assert_true(strlen(error) < sizeof error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts),
		cmocka_unit_test(test_refuses_with_file_and_line),
		cmocka_unit_test(test_error_is_bounded),
	};

	return cmocka_run_group_tests_name("keyfile", tests, NULL, NULL);
}
