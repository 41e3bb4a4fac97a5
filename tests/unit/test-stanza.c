/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/util/stanza.h"
#include "../../liblayerbox/util/text.h"

/* Everything that is read, as "name=value;" with "/" behind each stanza. */
static int read_all(const char *text, char *seen, size_t seen_size)
{
	CLEANUP_BUFFER struct buffer buffer = { 0 };
	struct stanza_field field;
	struct slice stanza;
	int r = 0;

	while (r == 0 && stanza_next(&text, &stanza)) {
		while ((r = stanza_field_next(&stanza, &field)) > 0)
			buffer_format(&buffer, "%.*s=%.*s;", SLICE_ARGS(field.name), SLICE_ARGS(field.value));
		buffer_add_text(&buffer, "/");
	}
	assert_true(text_copy(seen, seen_size, buffer.data ? buffer.data : ""));
	return r;
}

static void test_reads(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "\n\n\n", "" },
		{ "A: b\n", "A=b;/" },
		{ "A:b\n", "A=b;/" },
		{ "A:\n", "A=;/" },
		{ "A: \t b c \t\n", "A=b c;/" },
		{ "A: b\nC: d\n\nE: f\n", "A=b;C=d;/E=f;/" },
		{ "\n\nA: b\n\n\n\nC: d\n\n", "A=b;/C=d;/" },
		{ "A: b: c\n", "A=b: c;/" },
		{ "A: b\n c\n\td\nE: f\n", "A=b\n c\n\td;E=f;/" },
		{ "A:\n b 1\n c 2\n", "A=\n b 1\n c 2;/" },
		{ "A: b\n .\n c\n", "A=b\n .\n c;/" },
		{ "A: b\nA: c\n", "A=b;A=c;/" },
		{ "A: \xc3\xa9\n", "A=\xc3\xa9;/" },
	};
	char seen[128];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(read_all(cases[i][0], seen, sizeof seen), 0);
		assert_string_equal(seen, cases[i][1]);
	}
}

static void test_refuses(void **state)
{
	static const char *const cases[] = {
		"A: b",        "A",          "A\n",        "A b: c\n",      ": b\n",
		" A: b\n",     "# remark\n", "#A: b\n",    "A: b\n c",      "A: b\n \nC: d\n",
		"A: b\n \t\n", "A: b\nC",    "A: b\nC: d", "\xc3\xa9: b\n", "\x1b: b\n",
		"\r\n",
	};
	char seen[128];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (read_all(cases[i], seen, sizeof seen) != -EINVAL)
			fail_msg("case %zu was accepted", i);
}

static void test_fields_are_found_by_name(void **state)
{
	struct slice stanza = slice_of("Package: a\nVersion: 1\nversion: 2\nVersions: 3\nEmpty:\n");

	(void)state;
	assert_true(slice_is(stanza_get(stanza, "Version"), "1"));
	assert_true(slice_is(stanza_get(stanza, "PACKAGE"), "a"));
	assert_true(slice_is(stanza_get(stanza, "Versions"), "3"));
	assert_null(stanza_get(stanza, "Versio").data);
	assert_null(stanza_get(stanza, "Packages").data);
	assert_non_null(stanza_get(stanza, "Empty").data);
	assert_int_equal(stanza_get(stanza, "Empty").length, 0);
}

static void test_stanza_keeps_its_text(void **state)
{
	const char *text = "\nA: b\n c\n\n\nD: e\n", *cursor = text;
	struct slice stanza;

	(void)state;
	assert_true(stanza_next(&cursor, &stanza));
	assert_true(slice_is(stanza, "A: b\n c\n"));
	assert_int_equal(stanza_line(text, stanza.data), 2);
	assert_true(stanza_next(&cursor, &stanza));
	assert_true(slice_is(stanza, "D: e\n"));
	assert_int_equal(stanza_line(text, stanza.data), 6);
	assert_false(stanza_next(&cursor, &stanza));
	assert_false(stanza_next(&cursor, &stanza));
}

static void test_large_field(void **state)
{
	size_t size = 1 << 20;
	CLEANUP_FREE char *text = malloc(size + 1);
	const char *cursor = text;
	struct slice stanza;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size);
	memcpy(text, "A: ", 3);
	text[size - 1] = '\n';
	text[size] = '\0';
	assert_true(stanza_next(&cursor, &stanza));
	assert_int_equal(stanza_get(stanza, "A").length, size - 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_fields_are_found_by_name),
		cmocka_unit_test(test_stanza_keeps_its_text),
		cmocka_unit_test(test_large_field),
	};

	return cmocka_run_group_tests_name("stanza", tests, NULL, NULL);
}
