/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <arpa/inet.h>

#include "../../liblayerbox/network/lease-release.h"

#define SERVER "duid 00:01:00:01:32:94:3d:58:00:16:3e:00:00:01\n"
#define LEASE4 "4000000000 00:16:3e:85:ed:fb 10.0.3.4 deb *\n"
#define LEASE6 "4000000000 3642225770 fd42:1:2:3::4 deb 00:03:00:01:00:16:3e:85:ed:fb\n"

static bool parse(const char *text, const char *ipv6, struct dhcp6_binding *binding)
{
	CLEANUP_FREE char *copy = strdup(text);

	assert_non_null(copy);
	return lease_release_parse(copy, ipv6, binding);
}

static void test_finds(void **state)
{
	static const uint8_t server[] = { 0, 1, 0, 1, 0x32, 0x94, 0x3d, 0x58, 0, 0x16, 0x3e, 0, 0, 1 };
	static const uint8_t client[] = { 0, 3, 0, 1, 0, 0x16, 0x3e, 0x85, 0xed, 0xfb };
	struct dhcp6_binding binding;
	char address[INET6_ADDRSTRLEN];

	(void)state;
	assert_true(parse(LEASE4 SERVER "1 1 fd42:1:2:3::3 * 00:01\n" LEASE6 "1 2 fd42:1:2:3::5 * 00:02\n",
			  "fd42:1:2:3:0::4", &binding));
	assert_int_equal(binding.server.length, sizeof server);
	assert_memory_equal(binding.server.bytes, server, sizeof server);
	assert_int_equal(binding.client.length, sizeof client);
	assert_memory_equal(binding.client.bytes, client, sizeof client);
	assert_int_equal(binding.iaid, 3642225770);
	assert_false(binding.is_temporary);
	inet_ntop(AF_INET6, &binding.address, address, sizeof address);
	assert_string_equal(address, "fd42:1:2:3::4");
	assert_true(parse(SERVER "0 T7 fd42::1 * Ff:0a", "fd42::1", &binding));
	assert_true(binding.is_temporary);
	assert_int_equal(binding.iaid, 7);
	assert_int_equal(binding.client.length, 2);
	assert_int_equal(binding.client.bytes[0], 0xff);
	assert_int_equal(binding.client.bytes[1], 0x0a);
}

static void test_finds_nothing(void **state)
{
	static const struct {
		const char *text, *ipv6;
	} cases[] = {
		{ "", "fd42:1:2:3::4" },
		{ LEASE4 SERVER, "fd42:1:2:3::4" },
		{ LEASE4 LEASE6, "fd42:1:2:3::4" },                /* without the server's DUID no packet is right */
		{ SERVER LEASE6, "fd42:1:2:3::5" },
		{ SERVER LEASE6, "fd42:1:2:3::" },
		{ SERVER LEASE6, "10.0.3.4" },
		{ SERVER LEASE6, "" },
		{ "duid\n" LEASE6, "fd42:1:2:3::4" },
		{ "duid 0\n" LEASE6, "fd42:1:2:3::4" },
		{ "duid 00:\n" LEASE6, "fd42:1:2:3::4" },
		{ "duid 00-01\n" LEASE6, "fd42:1:2:3::4" },
		{ "duid 00:01 02\n" LEASE6, "fd42:1:2:3::4" },
		{ SERVER "1 1 fd42::1 *\n", "fd42::1" },
		{ SERVER "1 1 fd42::1 * *\n", "fd42::1" },
		{ SERVER "1 1 fd42::1 * 00:0g\n", "fd42::1" },
		{ SERVER "1 x fd42::1 * 00\n", "fd42::1" },
		{ SERVER "1 4294967296 fd42::1 * 00\n", "fd42::1" },
		{ SERVER "1 T fd42::1 * 00\n", "fd42::1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dhcp6_binding binding = { .iaid = 4711 };

		if (parse(cases[i].text, cases[i].ipv6, &binding))
			fail_msg("case %zu gave something", i);
		assert_int_equal(binding.iaid, 4711);
	}
}

/* A DUID has 130 bytes at most; of a longer one nothing is taken. */
static void test_long_duid(void **state)
{
	char duid[3 * 140] = "", text[1024];

	(void)state;
	for (int bytes = 1; bytes < 140; bytes++) {
		struct dhcp6_binding binding;
		bool found;

		strcat(duid, bytes > 1 ? ":ab" : "ab");
		snprintf(text, sizeof text, SERVER "1 1 fd42::1 * %s\n", duid);
		found = parse(text, "fd42::1", &binding);
		assert_int_equal(found, bytes <= DUID_BYTES_MAX);
		if (found)
			assert_int_equal(binding.client.length, bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds),
		cmocka_unit_test(test_finds_nothing),
		cmocka_unit_test(test_long_duid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
