/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <time.h>

#include "../../liblayerbox/network/lease.h"

static void load(const char *text, struct lease_table *table)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	assert_int_equal(lease_table_parse(copy, table), 0);
	free(copy);
}

static void test_reads(void **state)
{
	CLEANUP_LEASE_TABLE struct lease_table table = { 0 };

	(void)state;
	load("4000000000 00:16:3e:bb:00:01 10.0.3.20 tiger-assemblies 01:00:16:3e:bb:00:01\n"
	     "0 00:16:3e:aa:00:01 10.0.3.10 * *\n",
	     &table);
	assert_int_equal(table.count, 2);
	assert_string_equal(table.leases[0].identity.mac, "00:16:3e:aa:00:01");
	assert_string_equal(table.leases[0].name, "");
	assert_int_equal(table.leases[0].expiry, 0);
	assert_string_equal(table.leases[1].name, "tiger-assemblies");
	assert_string_equal(lease_table_find(&table, "00:16:3e:aa:00:01"), "10.0.3.10");
	assert_string_equal(lease_table_find(&table, "00:16:3e:bb:00:01"), "10.0.3.20");
	assert_null(lease_table_find(&table, "00:16:3e:bb:00:02"));
	assert_null(lease_table_find(&table, "ff:16:3e:bb:00:02"));
	assert_true(lease_table_has(&table, "00:16:3e:aa:00:01"));
	assert_false(lease_table_has(&table, "00:16:3e:aa:00:00"));
}

static void test_empty(void **state)
{
	CLEANUP_LEASE_TABLE struct lease_table table = { 0 };

	(void)state;
	load("", &table);
	assert_int_equal(table.count, 0);
	assert_null(lease_table_find(&table, "00:16:3e:aa:00:01"));
	assert_false(lease_table_has(&table, "00:16:3e:aa:00:01"));
}

/* Copied from dnsmasq 2.90: IPv4 first, its own DUID, then what it has given by DHCPv6. */
static void test_reads_ipv6(void **state)
{
	CLEANUP_LEASE_TABLE struct lease_table table = { 0 };
	const struct lease *lease;

	(void)state;
	load("4000000000 00:16:3e:85:ed:fb 10.0.3.4 deb *\n"
	     "0 00:16:3e:de:7c:c9 10.0.3.5 bus 01:00:16:3e:de:7c:c9\n"
	     "duid 00:01:00:01:32:94:3d:58:00:16:3e:00:00:01\n"
	     "4000000000 3642225770 fd42:1:2:3::4 deb 00:02:00:00:ab:11:44:86:8d:f5:7d:0b:17:7b\n"
	     "4000000000 T4294967295 FD42:1:2:3:0::5 * 00:03:00:01:00:16:3e:de:7c:c9\n"
	     "1 7 fd42:1:2:3::6 gone 00:03:00:01:00:16:3e:de:7c:ca\n"
	     "0 0 fd42:1:2:3::7 ever *\n",
	     &table);
	assert_int_equal(table.count, 6);
	lease = lease_table_find_ipv6(&table, "fd42:1:2:3::4");
	assert_non_null(lease);
	assert_string_equal(lease->name, "deb");
	assert_string_equal(lease->identity.mac, "");
	assert_string_equal(lease->identity.ipv4, "");
	assert_non_null(lease_table_find_ipv6(&table, "fd42:1:2:3::5"));
	assert_null(lease_table_find_ipv6(&table, "fd42:1:2:3::6"));
	assert_non_null(lease_table_find_ipv6(&table, "fd42:1:2:3::7"));
	assert_null(lease_table_find_ipv6(&table, "fd42:1:2:3::8"));
	assert_null(lease_table_find_ipv6(&table, "fd42:1:2:3::"));
	assert_null(lease_table_find_ipv6(&table, "fe80::"));
	assert_null(lease_table_find_ipv6(&table, ""));
	assert_string_equal(lease_table_find(&table, "00:16:3e:85:ed:fb"), "10.0.3.4");
	assert_string_equal(lease_table_find(&table, "00:16:3e:de:7c:c9"), "10.0.3.5");
	assert_false(lease_table_has(&table, "00:16:3e:de:7c:ca"));
}

/* The other kinds of line that dnsmasq writes are nobody's fault; broken ones are counted, and the first is named. */
static void test_counts_broken_lines(void **state)
{
	CLEANUP_LEASE_TABLE struct lease_table fine = { 0 };
	CLEANUP_LEASE_TABLE struct lease_table table = { 0 };

	(void)state;
	load("4000000000 00:16:3e:aa:00:01 10.0.3.10 a *\nduid 00:01:00:01:2e:65:b2:14:00:16:3e:aa:bb:cc\n\n"
	     "4000000000 1044480 fd00::5 tiger 00:01:00:01:2e:65:b2:14\n4000000000 T104 fd00::6 tiger 00:01\n"
	     "4000000000 06-00:16:3e:aa:00:02 10.0.3.11 tiger *\n",
	     &fine);
	assert_int_equal(fine.count, 3);
	assert_int_equal(fine.broken, 0);
	load("4000000000 00:16:3e:aa:00:01 10.0.3.10 a *\n\ngarbage\n4000000000 00:16:3e:aa:00:02 10.0.3.11 b *\n40000",
	     &table);
	assert_int_equal(table.count, 2);
	assert_int_equal(table.broken, 2);
	assert_int_equal(table.first_broken, 3);
}

/* Lines cut off, and what nobody could have written: all passed over, none stops the others. */
static void test_passes_over(void **state)
{
	static const char *const broken[] = {
		"duid 00:01:00:01:2e:65:b2:14:00:16:3e:aa:bb:cc",
		"duid",
		"4000000000 1044480 fd00::5 tiger",
		"4000000000 T fd00::5 tiger 00:01",
		"4000000000 TT5 fd00::5 tiger 00:01",
		"4000000000 -1 fd00::5 tiger 00:01",
		"4000000000 4294967296 fd00::5 tiger 00:01",
		"4000000000 1044480 fd00::5/64 tiger 00:01",
		"4000000000 1044480 fd00::5%eth0 tiger 00:01",
		"4000000000 1044480 fd00::12345 tiger 00:01",
		"4000000000 1044480 10.0.3.11 tiger 00:01",
		"4000000000 00:16:3e:aa:00:02 fd00::5 tiger 00:01",
		"x 1044480 fd00::5 tiger 00:01",
		"4000000000 00:16:3e:aa:00:02 10.0.3.11",
		"4000000000 00:16:3e:aa:00:02 10.0.3.11 tiger",
		"x 00:16:3e:aa:00:02 10.0.3.11 tiger *",
		"-1 00:16:3e:aa:00:02 10.0.3.11 tiger *",
		"99999999999999999999 00:16:3e:aa:00:02 10.0.3.11 tiger *",
		"4000000000 00:16:3e:aa:00:0 10.0.3.11 tiger *",
		"4000000000 00:16:3E:AA:00:02 10.0.3.11 tiger *",
		"4000000000 06-00:16:3e:aa:00:02 10.0.3.11 tiger *",
		"4000000000 00:16:3e:aa:00:02 10.0.3.1111 tiger *",
		"4000000000 00:16:3e:aa:00:02 10.0.3 tiger *",
		"\x1b[2J \x01 \xff \xfe *",
		" ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		CLEANUP_LEASE_TABLE struct lease_table table = { 0 };
		char text[512];

		snprintf(text, sizeof text, "%s\n4000000000 00:16:3e:aa:00:01 10.0.3.10 a *\n%s", broken[i], broken[i]);
		load(text, &table);
		if (table.count != 1)
			fail_msg("\"%s\" gave %zu leases", broken[i], table.count - 1);
	}
}

static void test_hides_hostile_names(void **state)
{
	CLEANUP_LEASE_TABLE struct lease_table table = { 0 };
	char text[512], name[100];

	(void)state;
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	snprintf(text, sizeof text,
		 "1 00:16:3e:aa:00:01 10.0.3.10 \x1b[31mred *\n1 00:16:3e:aa:00:02 10.0.3.11 %s *\n"
		 "1 00:16:3e:aa:00:03 10.0.3.12 ../../x *\n",
		 name);
	load(text, &table);
	assert_int_equal(table.count, 3);
	for (size_t i = 0; i < table.count; i++)
		assert_string_equal(table.leases[i].name, "");
}

static void test_expiry(void **state)
{
	CLEANUP_LEASE_TABLE struct lease_table table = { 0 };
	char text[512];
	long long now = (long long)time(NULL);

	(void)state;
	snprintf(text, sizeof text,
		 "%lld 00:16:3e:aa:00:01 10.0.3.10 a *\n%lld 00:16:3e:aa:00:01 10.0.3.11 a *\n"
		 "%lld 00:16:3e:aa:00:01 10.0.3.12 a *\n%lld 00:16:3e:aa:00:02 10.0.3.13 b *\n",
		 now - 10, now + 500, now + 100, now - 1);
	load(text, &table);
	assert_string_equal(lease_table_find(&table, "00:16:3e:aa:00:01"), "10.0.3.11");
	assert_null(lease_table_find(&table, "00:16:3e:aa:00:02"));
	assert_true(lease_table_has(&table, "00:16:3e:aa:00:02"));
}

/* A random number that is the same in each run. */
static unsigned next_random(unsigned *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 16;
}

/* A file in which bytes were changed, lost and cut off anywhere: read to its end, without a lease that is not one. */
static void test_survives_damage(void **state)
{
	static const char good[] = "4000000000 00:16:3e:85:ed:fb 10.0.3.4 deb *\n"
				   "duid 00:01:00:01:32:94:3d:58:00:16:3e:00:00:01\n"
				   "4000000000 3642225770 fd42:1:2:3::4 deb 00:02:00:00:ab:11:44:86\n"
				   "4000000000 T1 fd42:1:2:3::5 * 00:03:00:01:00:16:3e:de:7c:c9\n";
	unsigned random = 42;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		CLEANUP_LEASE_TABLE struct lease_table table = { 0 };
		char text[sizeof good];

		memcpy(text, good, sizeof good);
		for (unsigned changes = next_random(&random) % 8; changes; changes--)
			text[next_random(&random) % (sizeof good - 1)] = (char)next_random(&random);
		text[next_random(&random) % sizeof good] = '\0';
		load(text, &table);
		assert_true(table.count <= 12);
		for (size_t i = 0; i < table.count; i++) {
			const struct lease *lease = table.leases + i;
			char again[IPV6_TEXT_SIZE];

			if (!*lease->ipv6)
				assert_true(address_is_mac(lease->identity.mac) && address_is_ipv4(lease->identity.ipv4));
			else
				assert_true(ipv6_normalise(lease->ipv6, again) && text_equal(again, lease->ipv6));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),       cmocka_unit_test(test_empty),
		cmocka_unit_test(test_reads_ipv6),  cmocka_unit_test(test_survives_damage),
		cmocka_unit_test(test_passes_over), cmocka_unit_test(test_hides_hostile_names),
		cmocka_unit_test(test_expiry),      cmocka_unit_test(test_counts_broken_lines),
	};

	return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
