/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/network/ipv6.h"
#include "../../liblayerbox/network/subnet.h"

static void test_prefix(void **state)
{
	uint8_t prefix[IPV6_BYTES];
	char text[IPV6_TEXT_SIZE];

	(void)state;
	assert_true(ipv6_parse_prefix("fd42:1:2:3::/64", prefix));
	ipv6_format(prefix, text);
	assert_string_equal(text, "fd42:1:2:3::");
	assert_true(ipv6_parse_prefix("2001:db8::/64", prefix));
	assert_true(ipv6_parse_prefix("2001:0db8:0000:0000:0000:0000:0000:0000/64", prefix));
}

static void test_prefix_refuses(void **state)
{
	static const char *const cases[] = {
		"",
		"fd42::",
		"fd42::/48",
		"fd42::/064",
		"fd42::/64 ",
		"fd42::1/64",
		"fd42:1:2:3:4::/64",
		"fe80::/64",
		"ff02::/64",
		"::/64",
		"::ffff:0:0/64",
		"10.0.3.0/64",
		"fd42::/64/64",
		"/64",
		"fd42:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/64",
	};
	uint8_t prefix[IPV6_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (ipv6_parse_prefix(cases[i], prefix))
			fail_msg("\"%s\" was taken for a prefix", cases[i]);
}

static void test_local(void **state)
{
	(void)state;
	assert_true(ipv6_is_local("fd42::/64"));
	assert_true(ipv6_is_local("fc00:1::/64"));
	assert_false(ipv6_is_local("2001:db8::/64"));
	assert_false(ipv6_is_local("fb00::/64"));
	assert_false(ipv6_is_local(""));
}

static void test_derive(void **state)
{
	static const struct {
		const char *prefix, *ipv4, *network, *address;
	} cases[] = {
		{ "fd42::/64", "10.0.3.20", "10.0.3.0", "fd42::14" },
		{ "fd42:1:2:3::/64", "10.1.2.3", "10.1.0.0", "fd42:1:2:3::203" },
		{ "2001:db8::/64", "192.168.7.9", "192.168.7.8", "2001:db8::1" },
	};
	char text[IPV6_TEXT_SIZE];
	uint32_t ipv4, network;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(ipv4_parse(cases[i].ipv4, &ipv4));
		assert_true(ipv4_parse(cases[i].network, &network));
		assert_true(ipv6_derive(cases[i].prefix, ipv4, network, text));
		assert_string_equal(text, cases[i].address);
	}
	assert_false(ipv6_derive("fd42::/48", 1, 0, text));
}

static void test_link_local(void **state)
{
	char text[IPV6_TEXT_SIZE];

	(void)state;
	assert_true(ipv6_link_local("00:16:3e:1a:2b:3c", text));
	assert_string_equal(text, "fe80::216:3eff:fe1a:2b3c");
	assert_true(ipv6_link_local("02:00:00:00:00:01", text));
	assert_string_equal(text, "fe80::ff:fe00:1");
	assert_false(ipv6_link_local("02:00:00:00:00", text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefix), cmocka_unit_test(test_prefix_refuses), cmocka_unit_test(test_local),
		cmocka_unit_test(test_derive), cmocka_unit_test(test_link_local),
	};

	return cmocka_run_group_tests_name("ipv6", tests, NULL, NULL);
}
