/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/core/name.h"

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

static const char *const good[] = {
	"a", "7", "tiger", "tiger-assemblies", "a--b", "0-0", "1e3", "xn--mller-kva", SIXTY "123",
};

static const char *const bad[] = {
	"",	 "-",	  "-x",	   "x-",     "../x",  "..",	".",	 ".new-x", "x/y",   "/x",
	"a.b",	 "a_b",	  "a b",   " a",     "a ",    "a\n",	"a\nb",	 "\n",	   "a\tb",  "a\x1b[2J",
	"Tiger", "tigeR", "a@1",   "a:b",    "a,b",   "a=b",	"a*",	 "a\\b",   "a\"",   "m\xc3\xbcller",
	"\xff",	 "a\xcc\x81", "--help", SIXTY "1234",
};

static void test_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!name_is_valid(good[i]))
			fail_msg("\"%s\" is refused", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (name_is_valid(bad[i]))
			fail_msg("\"%s\" is accepted", bad[i]);
}

/* Of every byte there is, only those of the rule. */
static void test_every_byte(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		const char name[] = { 'a', (char)byte, 'z', '\0' };
		bool expected = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-';

		assert_int_equal(name_is_valid(name), expected);
	}
}

static void test_bridges(void **state)
{
	static const char *const bridges[] = { "a", "0", "lxcbr0", "br-x.1", "_b", "fifteen-letters" };
	static const char *const others[] = { "", ".", "..", "-x", ".x", "a/b", "a b", "Br0", "a\n", "a:b", "sixteen-letters-" };

	(void)state;
	for (size_t i = 0; i < sizeof bridges / sizeof *bridges; i++)
		if (!name_is_bridge(bridges[i]))
			fail_msg("\"%s\" is refused", bridges[i]);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (name_is_bridge(others[i]))
			fail_msg("\"%s\" is accepted", others[i]);
}

static void test_check_says_the_rule(void **state)
{
	struct lb_context ctx = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_int_equal(lb_name_check(&ctx, good[i]), 0);
	assert_string_equal(ctx.error, "");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ctx.error[0] = '\0';
		assert_int_equal(lb_name_check(&ctx, bad[i]), -LB_ERR_BAD_NAME);
		assert_contains(ctx.error, "1 to 63 lower-case letters, digits and dashes");
		assert_null(strpbrk(ctx.error, "\n\t\x1b"));
	}
	assert_int_equal(lb_name_check(&ctx, NULL), -LB_ERR_BAD_NAME);
	assert_int_equal(name_check(&ctx, "base", "X"), -LB_ERR_BAD_NAME);
	assert_contains(ctx.error, "\"X\" cannot be the name of a base");
}

static void test_check_bounds_what_it_shows(void **state)
{
	struct lb_context ctx = { 0 };
	char name[100000];

	(void)state;
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_int_equal(lb_name_check(&ctx, name), -LB_ERR_BAD_NAME);
	assert_true(strlen(ctx.error) < 300);
	assert_contains(ctx.error, "with a dash");
}

static void test_split(void **state)
{
	static const char *const wrong[] = { "",	 "@",	      "@1",	     "Debian",	"debian@",   "debian@0",
					     "debian@x", "debian@-1", "debian@1@2",  "debian@ 1", "debian@1 ", "../x@1",
					     "debian@1000000", "debian@99999999999999999999", "debian@\x1b[2J\n",
					     SIXTY "1234", SIXTY "1234@1" };
	struct lb_context ctx = { 0 };
	char name[NAME_LENGTH_MAX + 1] = "kept";
	unsigned generation = 7;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ctx.error[0] = '\0';
		assert_int_equal(name_split_base(&ctx, wrong[i], name, &generation), -LB_ERR_BAD_NAME);
		assert_true(strlen(ctx.error) > 0);
		assert_null(strpbrk(ctx.error, "\n\x1b"));
		assert_string_equal(name, "kept");
		assert_int_equal(generation, 7);
	}
	assert_int_equal(name_split_base(&ctx, "debian-bookworm", name, &generation), 0);
	assert_string_equal(name, "debian-bookworm");
	assert_int_equal(generation, 0);
	assert_int_equal(name_split_base(&ctx, SIXTY "123@999999", name, &generation), 0);
	assert_string_equal(name, SIXTY "123");
	assert_int_equal(generation, 999999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_bridges),
		cmocka_unit_test(test_check_says_the_rule),
		cmocka_unit_test(test_check_bounds_what_it_shows),
		cmocka_unit_test(test_split),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
