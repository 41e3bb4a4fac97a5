/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/rebase/deb-version.h"

static int sign(int number)
{
	return (number > 0) - (number < 0);
}

/* Each is earlier than the one behind it; so says `dpkg --compare-versions` of all pairs. */
static const char *const ascending[] = {
	"0~~",
	"0~~a",
	"0~",
	"0~a",
	"0",
	"0a",
	"0+",
	"0.0",
	"1a2",
	"1a10",
	"1.0~",
	"1.0~beta1~svc1",
	"1.0~beta1",
	"1.0",
	"1.0-0.0",
	"1.0-1~bpo12+1",
	"1.0-1",
	"1.0-1+b1",
	"1.0-1+deb12u1",
	"1.0-1+deb12u2",
	"1.0-1+deb12u10",
	"1.0-1.1",
	"1.0-9",
	"1.0-10",
	"1.0A",
	"1.0a",
	"1.0b",
	"1.0+dfsg-1",
	"1.0-10-1",
	"1.0.0",
	"1.1",
	"1.9",
	"1.10",
	"252.17-1~deb12u1",
	"252.17-1",
	"20230311",
	"20230311+deb12u1",
	"99999999999999999999999",
	"100000000000000000000000",
	"1:0",
	"1:0.9",
	"2:0",
	"9:99",
	"10:0",
};

static void test_order_of_all_pairs(void **state)
{
	int count = (int)(sizeof ascending / sizeof *ascending);

	(void)state;
	for (int i = 0; i < count; i++)
		for (int j = 0; j < count; j++)
			if (sign(deb_version_compare(ascending[i], ascending[j])) != sign(i - j))
				fail_msg("%s and %s are in wrong order", ascending[i], ascending[j]);
}

static void test_equal_though_written_otherwise(void **state)
{
	static const char *const pairs[][2] = {
		{ "1.0", "1.0" },    { "1.0", "0:1.0" }, { "00:1.0", "1.0" },   { "1.0", "1.0-0" }, { "1.0", "1.00" },
		{ "1.10", "01.10" }, { "", "" },         { "1.0-1", "1.0-01" }, { "1.", "1.0" },    { "1.0-", "1.0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		assert_int_equal(deb_version_compare(pairs[i][0], pairs[i][1]), 0);
		assert_int_equal(deb_version_compare(pairs[i][1], pairs[i][0]), 0);
	}
}

/* Nothing is read behind a slice, which has no end of its own. */
static void test_slices_have_ends(void **state)
{
	struct slice a = { .data = "1.05", .length = 3 }, b = { .data = "1.0~", .length = 3 };

	(void)state;
	assert_int_equal(deb_version_compare_slices(a, b), 0);
	assert_int_equal(deb_version_compare_slices((struct slice){ 0 }, (struct slice){ 0 }), 0);
	assert_true(deb_version_compare_slices(a, (struct slice){ 0 }) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_of_all_pairs),
		cmocka_unit_test(test_equal_though_written_otherwise),
		cmocka_unit_test(test_slices_have_ends),
	};

	return cmocka_run_group_tests_name("deb-version", tests, NULL, NULL);
}
