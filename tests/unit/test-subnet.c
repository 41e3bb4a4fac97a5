/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/core/subnet.h"

static void test_parse(void **state)
{
	static const struct {
		const char *cidr, *gateway, *first, *last;
		unsigned size;
	} cases[] = {
		{ "10.0.3.0/24", "10.0.3.1", "10.0.3.2", "10.0.3.254", 253 },
		{ "10.1.0.0/16", "10.1.0.1", "10.1.0.2", "10.1.255.254", 65533 },
		{ "192.168.7.8/29", "192.168.7.9", "192.168.7.10", "192.168.7.14", 5 },
		{ "172.16.32.0/20", "172.16.32.1", "172.16.32.2", "172.16.47.254", 4093 },
	};
	char text[IPV4_TEXT_SIZE];
	struct subnet subnet;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_null(subnet_parse(cases[i].cidr, &subnet));
		ipv4_format(subnet.gateway, text);
		assert_string_equal(text, cases[i].gateway);
		ipv4_format(subnet.first, text);
		assert_string_equal(text, cases[i].first);
		ipv4_format(subnet.last, text);
		assert_string_equal(text, cases[i].last);
		assert_int_equal(subnet_pool_size(&subnet), cases[i].size);
		assert_false(subnet_pool_has(&subnet, subnet.gateway));
		assert_false(subnet_pool_has(&subnet, subnet.network));
		assert_false(subnet_pool_has(&subnet, subnet_broadcast(&subnet)));
		assert_true(subnet_pool_has(&subnet, subnet.first));
		assert_true(subnet_pool_has(&subnet, subnet.last));
	}
}

static void test_parse_refuses(void **state)
{
	static const char *const cases[] = {
		"",
		"10.0.3.0",
		"10.0.3.0/",
		"10.0.3.0/15",
		"10.0.3.0/30",
		"10.0.3.1/24",
		"10.0.3.128/24",
		"10.0.3/24",
		"10.0.3.0/24 ",
		" 10.0.3.0/24",
		"10.0.3.0/+24",
		"10.0.3.0/024x",
		"010.0.3.0/24",
		"10.0.3.256/24",
		"fd00::/24",
		"10.0.3.0/24/24",
		"10.0.3.0000000000000000/24",
		"/24",
		"10.0.3.0/99999999999999999999",
	};
	struct subnet subnet;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (!subnet_parse(cases[i], &subnet))
			fail_msg("\"%s\" was taken for a subnet", cases[i]);
	assert_contains(subnet_parse("10.0.3.0/30", &subnet), "from /16 to /29");
	assert_contains(subnet_parse("10.0.3.128/24", &subnet), "has host bits set");
}

static void test_from_parts(void **state)
{
	struct subnet subnet;

	(void)state;
	assert_int_equal(subnet_from_parts("10.0.3.1", "255.255.255.0", "10.0.3.2", "10.0.3.254", &subnet), 0);
	assert_int_equal(subnet.prefix, 24);
	assert_int_equal(subnet_pool_size(&subnet), 253);
	/* The gateway may lie in the range, and the range may be part of the subnet. */
	assert_int_equal(subnet_from_parts("10.0.3.100", "255.255.0.0", "10.0.3.50", "10.0.3.149", &subnet), 0);
	assert_int_equal(subnet.prefix, 16);
	assert_int_equal(subnet_pool_size(&subnet), 99);
	/* The subnet's first and last addresses are nobody's, whatever the range says. */
	assert_int_equal(subnet_from_parts("10.0.3.1", "255.255.255.0", "10.0.3.0", "10.0.3.255", &subnet), 0);
	assert_int_equal(subnet_pool_size(&subnet), 253);
}

static void test_from_parts_refuses(void **state)
{
	struct subnet subnet;

	(void)state;
	assert_int_equal(subnet_from_parts("", "255.255.255.0", "10.0.3.2", "10.0.3.254", &subnet), -EINVAL);
	assert_int_equal(subnet_from_parts("10.0.3.1", "255.0.255.0", "10.0.3.2", "10.0.3.254", &subnet), -EINVAL);
	assert_int_equal(subnet_from_parts("10.0.3.1", "0.0.0.0", "10.0.3.2", "10.0.3.254", &subnet), -EINVAL);
	assert_int_equal(subnet_from_parts("10.0.3.1", "255.0.0.0", "10.0.3.2", "10.0.3.254", &subnet), -EINVAL);
	assert_int_equal(subnet_from_parts("10.0.3.1", "255.255.255.252", "10.0.3.2", "10.0.3.3", &subnet), -EINVAL);
	assert_int_equal(subnet_from_parts("10.0.3.1", "255.255.255.0", "10.0.4.2", "10.0.4.9", &subnet), -EINVAL);
	assert_int_equal(subnet_from_parts("10.0.3.1", "255.255.255.0", "10.0.3.9", "10.0.3.2", &subnet), -EINVAL);
	assert_int_equal(subnet_from_parts("10.0.3.1", "255.255.255.0", "x", "y", &subnet), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_from_parts),
		cmocka_unit_test(test_from_parts_refuses),
	};

	return cmocka_run_group_tests_name("subnet", tests, NULL, NULL);
}
