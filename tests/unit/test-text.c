/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/util/text.h"

static void test_after(void **state)
{
	(void)state;
	assert_string_equal(text_after("lxc.net", "lxc."), "net");
	assert_string_equal(text_after("lxc.", "lxc."), "");
	assert_null(text_after("lx", "lxc."));
	assert_true(text_empty(NULL) && text_empty("") && !text_empty(" "));
}

static void test_copy(void **state)
{
	char buffer[4] = "xyz";

	(void)state;
	assert_true(text_copy(buffer, sizeof buffer, "abc"));
	assert_string_equal(buffer, "abc");
	assert_false(text_copy(buffer, sizeof buffer, "abcd"));
	assert_string_equal(buffer, "");
}

static void test_trim(void **state)
{
	static const char *const cases[][2] = {
		{ "a", "a" }, { "  a b\t", "a b" }, { "", "" }, { " \t\r\n", "" }, { "x\r", "x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[32];

		assert_true(text_copy(text, sizeof text, cases[i][0]));
		assert_string_equal(text_trim(text), cases[i][1]);
	}
}

static void test_printable(void **state)
{
	char text[] = "a\x1b[2J\n\x7f\tz \xc3\xa9", c1[] = "\xc2\x9b[2J\x9b[2J\xc3";

	(void)state;
	assert_string_equal(text_printable(text), "a?[2J???z \xc3\xa9");
	assert_string_equal(text_printable(c1), "??[2J?[2J?");
}

static void test_number(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x10", "1e3", "1.5", "one", "1\n",
					   "18446744073709551616", "99999999999999999999999999" };
	uint64_t n = 42;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(text_to_number(bad[i], 0, UINT64_MAX, &n));
	assert_int_equal(n, 42);
	assert_true(text_to_number("18446744073709551615", 0, UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
	assert_true(text_to_number("0", 0, 9, &n));
	assert_int_equal(n, 0);
	assert_true(text_to_number("007", 7, 7, &n));
	assert_int_equal(n, 7);
	assert_false(text_to_number("6", 7, 9, &n));
	assert_false(text_to_number("10", 7, 9, &n));
	assert_int_equal(n, 7);
}

static void test_piece(void **state)
{
	struct slice rest = { "a::b\0c", 6 }, part;
	uint64_t number = 99;

	(void)state;
	assert_true(slice_cut(&rest, ':', &part) && slice_equal(part, (struct slice){ "a", 1 }));
	assert_true(slice_cut(&rest, ':', &part) && part.length == 0);
	assert_true(slice_cut(&rest, ':', &part) && part.length == 3);
	assert_false(slice_cut(&rest, ':', &part));
	assert_false(slice_cut(&(struct slice){ NULL, 0 }, ':', &part));
	assert_true(slice_equal((struct slice){ NULL, 0 }, (struct slice){ "x", 0 }));
	assert_true(slice_compare((struct slice){ "a", 1 }, (struct slice){ "ab", 2 }) < 0);
	assert_true(slice_compare((struct slice){ "\xff", 1 }, (struct slice){ "ab", 2 }) > 0);
	assert_int_equal(slice_compare((struct slice){ NULL, 0 }, (struct slice){ "", 0 }), 0);
	assert_true(slice_to_number((struct slice){ "123", 2 }, 0, 99, &number));
	assert_int_equal(number, 12);
	assert_false(slice_to_number((struct slice){ "123", 3 }, 0, 99, &number));
	assert_false(slice_to_number((struct slice){ "", 0 }, 0, 99, &number));
	assert_false(slice_to_number((struct slice){ "1\0002", 3 }, 0, 99, &number));
	assert_false(slice_to_number((struct slice){ "0000000000000000000000001", 25 }, 0, 99, &number));
}

static void test_seconds(void **state)
{
	static const char *const bad[] = { "",   "s",	 "1 s", "s1", "1w",  "1S",   "1ss",
					   "-1", "1.5h", "+1",	" 1", "1m ", "101s", "2m" };
	uint64_t n = 42;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(text_to_seconds(bad[i], 100, &n));
	assert_int_equal(n, 42);
	assert_true(text_to_seconds("0", 100, &n) && n == 0);
	assert_true(text_to_seconds("0d", 100, &n) && n == 0);
	assert_true(text_to_seconds("100", 100, &n) && n == 100);
	assert_true(text_to_seconds("99s", 100, &n) && n == 99);
	assert_true(text_to_seconds("1m", 100, &n) && n == 60);
	assert_true(text_to_seconds("12h", UINT64_MAX, &n) && n == 12 * 3600);
	assert_true(text_to_seconds("7d", UINT64_MAX, &n) && n == 7 * 86400);
	assert_false(text_to_seconds("18446744073709551615d", UINT64_MAX, &n));
}

static void test_bool(void **state)
{
	bool value = false;

	(void)state;
	assert_true(text_to_bool("yes", &value) && value);
	assert_true(text_to_bool("off", &value) && !value);
	assert_true(text_to_bool("1", &value) && value);
	assert_true(text_to_bool("false", &value) && !value);
	assert_false(text_to_bool("", &value));
	assert_false(text_to_bool("Yes", &value));
	assert_false(text_to_bool("yes ", &value));
	assert_false(value);
}

static void test_buffer(void **state)
{
	CLEANUP_BUFFER struct buffer buffer = { 0 };
	CLEANUP_FREE char *text = NULL, *nothing = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buffer_format(&buffer, "%03d,", i);
	buffer_add_text(&buffer, "end");
	assert_int_equal(buffer.length, 4003);
	text = buffer_finish(&buffer);
	assert_int_equal(strlen(text), 4003);
	assert_string_equal(text + 3996, "999,end");
	assert_null(buffer.data);
	nothing = buffer_finish(&buffer);
	assert_string_equal(nothing, "");
}

/* A lost piece must never look like a whole text. */
static void test_buffer_keeps_its_failure(void **state)
{
	struct buffer buffer = { 0 };

	(void)state;
	buffer_add_text(&buffer, "first ");
	buffer.failed = true;
	buffer_add_text(&buffer, "second");
	assert_null(buffer_finish(&buffer));
	assert_null(buffer.data);
}

static void test_list(void **state)
{
	CLEANUP_TEXT_LIST struct text_list list = { 0 };

	(void)state;
	assert_false(text_list_has(&list, "a"));
	text_list_sort(&list);
	assert_int_equal(text_list_add_words(&list, "  tiger \t ant\tbee  "), 0);
	assert_int_equal(text_list_add(&list, ""), 0);
	for (int i = 0; i < 40; i++)
		assert_int_equal(text_list_format(&list, "n%02d", i), 0);
	assert_int_equal(list.count, 44);
	assert_null(list.items[44]);
	text_list_sort(&list);
	assert_string_equal(list.items[0], "");
	assert_string_equal(list.items[1], "ant");
	assert_string_equal(list.items[43], "tiger");
	assert_true(text_list_has(&list, "bee"));
	assert_false(text_list_has(&list, "be"));
	text_list_free(&list);
	assert_null(list.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_after),  cmocka_unit_test(test_copy),
		cmocka_unit_test(test_trim),   cmocka_unit_test(test_printable),
		cmocka_unit_test(test_number), cmocka_unit_test(test_bool),
		cmocka_unit_test(test_seconds), cmocka_unit_test(test_piece),
		cmocka_unit_test(test_buffer), cmocka_unit_test(test_buffer_keeps_its_failure),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
