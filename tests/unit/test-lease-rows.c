/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/network/lease-drop.h"
#include "../../liblayerbox/network/lease-rows.h"

#define MAC_A "00:16:3e:00:00:0a"
#define MAC_B "00:16:3e:00:00:0b"
#define STRANGER "52:54:00:01:02:03"

enum { NOW = 1000000 };

static const struct record_identity owners[] = {
	{ .name = "a", .identity = { .mac = MAC_A, .ipv4 = "10.0.3.10" } },
	{ .name = "b", .identity = { .mac = MAC_B, .ipv4 = "10.0.3.9" } },
};

/* What there is to say with these leases, a line for each: IPV4 MAC STATE CONTAINER NAME EXPIRY. */
static char *say(const char *leases)
{
	CLEANUP_LEASE_TABLE struct lease_table table = { 0 };
	CLEANUP_LEASE_ROWS struct lease_rows rows = { 0 };
	CLEANUP_BUFFER struct buffer text = { 0 };
	char *copy = strdup(leases);

	assert_int_equal(lease_table_parse(copy, &table), 0);
	assert_int_equal(lease_rows_add(&rows, "net", owners, 2, &table, NOW), 0);
	free(copy);
	buffer_add_text(&text, "");
	for (size_t i = 0; i < rows.count; i++) {
		const struct lb_lease *row = rows.items + i;

		assert_string_equal(row->network, "net");
		assert_int_equal(row->state == LB_LEASE_CONFLICT, *row->problem != '\0');
		assert_int_equal(lease_row_is_live(row), row->state != LB_LEASE_RESERVED);
		buffer_format(&text, "%s %s %s %s %s %lld\n", row->ipv4, row->mac, lb_lease_state_name(row->state),
			      *row->container ? row->container : "-", *row->name ? row->name : "-",
			      (long long)row->expiry);
	}
	return buffer_finish(&text);
}

static void test_states(void **state)
{
	static const struct {
		const char *leases, *rows;
	} cases[] = {
		/* by address as a number: 9 before 10 */
		{ "", "10.0.3.9 " MAC_B " reserved b b 0\n10.0.3.10 " MAC_A " reserved a a 0\n" },
		{ "1000001 " MAC_A " 10.0.3.10 own-name *\n", "10.0.3.9 " MAC_B " reserved b b 0\n10.0.3.10 " MAC_A " active a own-name 1000001\n" },
		{ "0 " MAC_A " 10.0.3.10 * *\n", "10.0.3.9 " MAC_B " reserved b b 0\n10.0.3.10 " MAC_A " active a a 0\n" },
		/* over */
		{ "1000000 " MAC_A " 10.0.3.10 a *\n1 " STRANGER " 10.0.3.77 x *\n",
		  "10.0.3.9 " MAC_B " reserved b b 0\n10.0.3.10 " MAC_A " reserved a a 0\n" },
		{ "1000001 " STRANGER " 10.0.3.77 x 01:02\n",
		  "10.0.3.9 " MAC_B " reserved b b 0\n10.0.3.10 " MAC_A " reserved a a 0\n10.0.3.77 " STRANGER " foreign - x 1000001\n" },
		/* a stranger on a's address */
		{ "1000001 " STRANGER " 10.0.3.10 * *\n",
		  "10.0.3.9 " MAC_B " reserved b b 0\n10.0.3.10 " MAC_A " reserved a a 0\n10.0.3.10 " STRANGER " conflict a - 1000001\n" },
		/* a on an address that is nobody's; then beside its own */
		{ "1000001 " MAC_A " 10.0.3.77 a *\n",
		  "10.0.3.9 " MAC_B " reserved b b 0\n10.0.3.10 " MAC_A " reserved a a 0\n10.0.3.77 " MAC_A " conflict a a 1000001\n" },
		{ "1000001 " MAC_A " 10.0.3.77 a 01\n1000002 " MAC_A " 10.0.3.10 a *\n",
		  "10.0.3.9 " MAC_B " reserved b b 0\n10.0.3.10 " MAC_A " active a a 1000002\n10.0.3.77 " MAC_A " conflict a a 1000001\n" },
		/* a on b's address, and b on a's */
		{ "1000001 " MAC_A " 10.0.3.9 a *\n1000002 " MAC_B " 10.0.3.10 b *\n",
		  "10.0.3.9 " MAC_B " reserved b b 0\n10.0.3.9 " MAC_A " conflict a a 1000001\n"
		  "10.0.3.10 " MAC_A " reserved a a 0\n10.0.3.10 " MAC_B " conflict b b 1000002\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *said = say(cases[i].leases);

		if (strcmp(said, cases[i].rows) != 0)
			fail_msg("case %zu: \"%s\" instead of \"%s\"", i, said, cases[i].rows);
		free(said);
	}
}

static void test_problems(void **state)
{
	CLEANUP_LEASE_TABLE struct lease_table table = { 0 };
	CLEANUP_LEASE_ROWS struct lease_rows rows = { 0 };
	char text[] = "0 " STRANGER " 10.0.3.10 * *\n0 " MAC_B " 10.0.3.77 * *\n0 " MAC_A " 10.0.3.9 * *\n";

	(void)state;
	assert_int_equal(lease_table_parse(text, &table), 0);
	assert_int_equal(lease_rows_add(&rows, "net", owners, 2, &table, NOW), 0);
	assert_int_equal(rows.count, 5);
	assert_string_equal(rows.items[1].problem, "held by container 'a', but reserved for 'b'");
	assert_string_equal(rows.items[3].problem, "reserved for container 'a', but held by another MAC, " STRANGER);
	assert_string_equal(rows.items[4].problem, "held by container 'b', for which 10.0.3.9 is reserved");
}

/* A thousand containers with their leases, and as many strangers. */
static void test_many(void **state)
{
	enum { COUNT = 1000 };
	CLEANUP_FREE struct record_identity *many = calloc(COUNT, sizeof *many);
	CLEANUP_LEASE_TABLE struct lease_table table = { 0 };
	CLEANUP_LEASE_ROWS struct lease_rows rows = { 0 };
	CLEANUP_BUFFER struct buffer text = { 0 };
	size_t active = 0, foreign = 0;
	char *leases;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		snprintf(many[i].name, sizeof many[i].name, "c%d", i);
		snprintf(many[i].identity.mac, MAC_TEXT_SIZE, "00:16:3e:aa:%02x:%02x", i / 256, i % 256);
		snprintf(many[i].identity.ipv4, IPV4_TEXT_SIZE, "10.1.%u.%u", (uint8_t)(i / 250), (uint8_t)(i % 250 + 2));
		buffer_format(&text, "0 %s %s c%d *\n", many[i].identity.mac, many[i].identity.ipv4, i);
		buffer_format(&text, "0 52:54:00:00:%02x:%02x 10.1.%d.%d * 01\n", i / 256, i % 256, 100 + i / 250, i % 250 + 2);
	}
	leases = buffer_finish(&text);
	assert_int_equal(lease_table_parse(leases, &table), 0);
	free(leases);
	assert_int_equal(lease_rows_add(&rows, "net", many, COUNT, &table, NOW), 0);
	assert_int_equal(rows.count, 2 * COUNT);
	for (size_t i = 0; i < rows.count; i++) {
		active += rows.items[i].state == LB_LEASE_ACTIVE;
		foreign += rows.items[i].state == LB_LEASE_FOREIGN;
	}
	assert_int_equal(active, COUNT);
	assert_int_equal(foreign, COUNT);
}

static void test_client_id(void **state)
{
	static const char text[] = "duid 00:01\n1 " MAC_A " 10.0.3.10 a *\n1 " STRANGER " 10.0.3.77 * ff:01:02:03\n"
				   "1 " STRANGER " 10.0.3.7 * 01:09";
	char id[CLIENT_ID_TEXT_SIZE] = "?", huge[4096];

	(void)state;
	assert_true(lease_find_client_id(text, MAC_A, "10.0.3.10", id));
	assert_string_equal(id, "*");
	assert_true(lease_find_client_id(text, STRANGER, "10.0.3.77", id));
	assert_string_equal(id, "ff:01:02:03");
	assert_true(lease_find_client_id(text, STRANGER, "10.0.3.7", id));
	assert_string_equal(id, "01:09");
	assert_false(lease_find_client_id(text, STRANGER, "10.0.3.10", id));
	assert_false(lease_find_client_id(text, MAC_B, "10.0.3.10", id));
	assert_false(lease_find_client_id("", MAC_B, "10.0.3.10", id));
	/* Cut off, and longer than any can be. */
	assert_true(lease_find_client_id("1 " MAC_A " 10.0.3.10 a", MAC_A, "10.0.3.10", id));
	assert_string_equal(id, "");
	memset(huge, 'f', sizeof huge - 1);
	huge[sizeof huge - 1] = '\0';
	memcpy(huge, "1 " MAC_A " 10.0.3.10 a ", strlen("1 " MAC_A " 10.0.3.10 a "));
	assert_true(lease_find_client_id(huge, MAC_A, "10.0.3.10", id));
	assert_string_equal(id, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_client_id),
	};

	return cmocka_run_group_tests_name("lease-rows", tests, NULL, NULL);
}
