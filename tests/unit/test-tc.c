/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/adapters/tc.h"

static void test_bucket_and_queue(void **state)
{
	static const struct {
		uint64_t bits;
		unsigned mtu, burst, limit;
	} cases[] = {
		{ 64000, 1500, 2 * 1514, 5 * 1514 },     /* the least: two frames, and five that wait */
		{ 1000000, 1500, 2 * 1514, 5 * 1514 },
		{ 10000000, 1500, 12500, 62500 },
		{ 100000000, 1500, 125000, 625000 },
		{ 1000000000, 1500, 1250000, 6250000 },
		{ 100000000000, 1500, 125000000, 625000000 },
		{ 1000000, 9000, 2 * 9014, 5 * 9014 },   /* never smaller than a frame: the kernel would drop all of them */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tc_bucket bucket = tc_make_bucket(cases[i].bits, cases[i].mtu);

		assert_int_equal(bucket.bytes_per_second, cases[i].bits / 8);
		assert_int_equal(bucket.burst, cases[i].burst);
		assert_int_equal(bucket.limit, cases[i].limit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_bucket_and_queue) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
