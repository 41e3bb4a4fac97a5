/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/network/ipv6.h"
#include "../../liblayerbox/util/text.h"

static struct ipv6_prefix prefix_of(const char *text)
{
	struct ipv6_prefix prefix;
	const char *problem = ipv6_prefix_parse(text, &prefix);

	if (problem)
		fail_msg("%s %s", text, problem);
	return prefix;
}

static void test_prefix(void **state)
{
	static const struct {
		const char *text, *written, *network, *gateway;
		bool local;
	} cases[] = {
		{ "fd42:1:2:3::/64", "fd42:1:2:3::/64", "fd42:1:2:3::", "fd42:1:2:3::1", true },
		{ "FD42:0001:0002:0003::/64", "fd42:1:2:3::/64", "fd42:1:2:3::", "fd42:1:2:3::1", true },
		{ "fd42:1:2:3:0:0:0:0/64", "fd42:1:2:3::/64", "fd42:1:2:3::", "fd42:1:2:3::1", true },
		{ "fd42::/64", "fd42::/64", "fd42::", "fd42::1", true },
		{ "fc00::/64", "fc00::/64", "fc00::", "fc00::1", true },
		{ "2001:db8:0:1::/64", "2001:db8:0:1::/64", "2001:db8:0:1::", "2001:db8:0:1::1", false },
		{ "2000::/64", "2000::/64", "2000::", "2000::1", false },
		{ "3fff:ffff:ffff:ffff::/64", "3fff:ffff:ffff:ffff::/64", "3fff:ffff:ffff:ffff::",
		  "3fff:ffff:ffff:ffff::1", false },
		{ "fd00:0:0:1::/64", "fd00:0:0:1::/64", "fd00:0:0:1::", "fd00:0:0:1::1", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ipv6_prefix prefix = prefix_of(cases[i].text);
		char text[IPV6_PREFIX_TEXT_SIZE];

		ipv6_prefix_format(&prefix, text);
		assert_string_equal(text, cases[i].written);
		ipv6_prefix_network(&prefix, text);
		assert_string_equal(text, cases[i].network);
		ipv6_gateway(&prefix, text);
		assert_string_equal(text, cases[i].gateway);
		assert_int_equal(ipv6_prefix_is_local(&prefix), cases[i].local);
	}
}

static void test_prefix_refuses(void **state)
{
	static const char *const cases[] = {
		"", "/64", "::/64", "fd42:1:2:3::", "fd42:1:2:3::/", "fd42:1:2:3::/63", "fd42:1:2:3::/65",
		"fd42:1:2:3::/48", "fd42:1:2:3::/064", "fd42:1:2:3::/+64", "fd42:1:2:3::/64 ", " fd42:1:2:3::/64",
		"fd42:1:2:3::/64/64", "fd42:1:2:3::1/64", "fd42:1:2:3:8000::/64", "fd42:1:2:3:4::/64", "fd42:1:2:3/64",
		"fd42:1:2::3::/64", "fd42:12345::/64", "fd42:g::/64", "fd42::%eth0/64", "[fd42::]/64", "fe80::/64",
		"fec0::/64", "ff02::/64", "::1/64", "::ffff:10.0.3.0/64", "64:ff9b::/64", "1fff::/64", "4000::/64",
		"fbff::/64", "10.0.3.0/24", "10.0.3.0/64", "auto", "fd42:1:2:3::,static/64",
		"fd42:1:2:3:0000:0000:0000:000000000000000000000000000000000/64",
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ipv6_prefix prefix = { .bytes = "1234567" };
		const char *problem = ipv6_prefix_parse(cases[i], &prefix);

		if (!problem)
			fail_msg("\"%s\" was taken", cases[i]);
		assert_non_null(text_after(problem, "must be"));
		assert_memory_equal(prefix.bytes, "1234567", 8);
	}
}

static void test_random(void **state)
{
	struct ipv6_prefix one, other, again;
	char text[IPV6_PREFIX_TEXT_SIZE];

	(void)state;
	assert_int_equal(ipv6_prefix_random(&one), 0);
	assert_int_equal(ipv6_prefix_random(&other), 0);
	assert_memory_not_equal(&one, &other, sizeof one);
	assert_int_equal(one.bytes[0], 0xfd);
	assert_true(ipv6_prefix_is_local(&one));
	ipv6_prefix_format(&one, text);
	again = prefix_of(text);
	assert_memory_equal(&one, &again, sizeof one);
}

static void test_guest(void **state)
{
	static const struct {
		const char *prefix;
		uint32_t host_number;
		const char *address;
	} cases[] = {
		{ "fd42::/64", 20, "fd42::14" },
		{ "fd42:1:2:3::/64", 2, "fd42:1:2:3::2" },
		{ "fd42:1:2:3::/64", 254, "fd42:1:2:3::fe" },
		{ "fd42:1:2:3::/64", 65534, "fd42:1:2:3::fffe" },
		{ "fd42:1:2:3::/64", 0x12345, "fd42:1:2:3::1:2345" },
		{ "fd42:1:2:3::/64", UINT32_MAX, "fd42:1:2:3::ffff:ffff" },
	};
	char text[IPV6_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ipv6_prefix prefix = prefix_of(cases[i].prefix);

		ipv6_of_guest(&prefix, cases[i].host_number, text);
		assert_string_equal(text, cases[i].address);
	}
}

static void test_link_local(void **state)
{
	char text[IPV6_TEXT_SIZE];

	(void)state;
	ipv6_link_local("00:16:3e:01:02:03", text);
	assert_string_equal(text, "fe80::216:3eff:fe01:203");
	ipv6_link_local("00:16:3e:85:ed:fb", text);
	assert_string_equal(text, "fe80::216:3eff:fe85:edfb");
	ipv6_link_local("02:00:00:00:00:00", text);
	assert_string_equal(text, "fe80::ff:fe00:0");
}

static void test_normalise(void **state)
{
	char text[IPV6_TEXT_SIZE];

	(void)state;
	assert_true(ipv6_normalise("FD42:0:0:0::0014", text));
	assert_string_equal(text, "fd42::14");
	assert_false(ipv6_normalise("fd42::14%eth0", text));
	assert_false(ipv6_normalise("fd42::14/64", text));
	assert_false(ipv6_normalise("10.0.3.1", text));
	assert_false(ipv6_normalise("", text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefix), cmocka_unit_test(test_prefix_refuses), cmocka_unit_test(test_random),
		cmocka_unit_test(test_guest),  cmocka_unit_test(test_link_local),     cmocka_unit_test(test_normalise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
