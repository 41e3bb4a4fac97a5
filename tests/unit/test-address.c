/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <time.h>

#include "../../liblayerbox/network/address.h"
#include "../../liblayerbox/network/lease.h"
#include "../../liblayerbox/network/plan.h"
#include "../../liblayerbox/network/reservation.h"

/* A context on an empty root whose bridge no machine has, so that the kernel's answer is always "none". */
static struct lb_context *make_context(const char *name, const char *subnet)
{
	struct lb_context_options options = { .size = sizeof options };
	char config[512], root[256], cwd[128];
	struct lb_context *ctx;

	assert_non_null(getcwd(cwd, sizeof cwd));
	snprintf(root, sizeof root, "%s/%s", cwd, name);
	snprintf(config, sizeof config, "root = %s\nbridge = lbunit-none\nsubnet = %s\n", root, subnet);
	put_file("layerbox.conf", config);
	options.config_file = "layerbox.conf";
	assert_int_equal(lb_context_new(&options, &ctx), 0);
	assert_int_equal(lb_root_prepare(ctx), 0);
	return ctx;
}

/* On the default network, whose plan is made anew each time, as each command does. */
static int choose(struct lb_context *ctx, const struct network_identity *taken, size_t count,
		  struct network_identity *ret_identity)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };

	assert_int_equal(network_plan_make(ctx, NULL, &plan), 0);
	return address_choose(ctx, &plan, taken, count, ret_identity);
}

static void test_mac(void **state)
{
	static const char *const good[] = { "00:16:3e:00:00:01", "ff:ff:ff:ff:ff:ff", "0a:1b:2c:3d:4e:5f" };
	static const char *const bad[] = {
		"",
		"00:16:3e:00:00",
		"00:16:3e:00:00:01:",
		"00:16:3e:00:00:011",
		"00-16-3e-00-00-01",
		"00:16:3E:00:00:01",
		"0:16:3e:00:00:001",
		"00:16:3e:00:00:0g",
		"00:16:3e:00:00:0\n",
		" 00:16:3e:00:00:01",
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(address_is_mac(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (address_is_mac(bad[i]))
			fail_msg("\"%s\" was taken for a MAC", bad[i]);
}

static void test_ipv4(void **state)
{
	static const char *const bad[] = { "",           "10.0.3",      "10.0.3.256", "10.0.3.1 ",
					   " 10.0.3.1",  "10.0.3.1/24", "010.0.3.1",  "10.0.3.1\n",
					   "10.0.3.1,x", "::1",         "10.0.3.1.1" };

	(void)state;
	assert_true(address_is_ipv4("10.0.3.1"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (address_is_ipv4(bad[i]))
			fail_msg("\"%s\" was taken for an IPv4 address", bad[i]);
}

static void test_gateway(void **state)
{
	struct lb_context *ctx = make_context("gateway", "10.20.0.0/16");
	char gateway[IPV4_TEXT_SIZE];

	(void)state;
	assert_int_equal(address_gateway(ctx, NULL, gateway), 0);
	assert_string_equal(gateway, "10.20.0.1");
	lb_context_free(ctx);
}

/* A pool of five: each address once, then a sentence. */
static void test_exhausts(void **state)
{
	struct lb_context *ctx = make_context("exhausts", "10.20.0.0/29");
	struct network_identity taken[6];

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		char expected[IPV4_TEXT_SIZE];

		assert_int_equal(choose(ctx, taken, i, &taken[i]), 0);
		snprintf(expected, sizeof expected, "10.20.0.%zu", i + 2);
		assert_string_equal(taken[i].ipv4, expected);
		assert_true(address_is_mac(taken[i].mac));
		assert_int_equal(strncmp(taken[i].mac, "00:16:3e:", 9), 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(taken[i].mac, taken[j].mac);
	}
	assert_int_equal(choose(ctx, taken, 5, &taken[5]), -LB_ERR_EXHAUSTED);
	assert_contains(lb_context_error(ctx), "all 5");
	assert_contains(lb_context_error(ctx), "subnet");
	lb_context_free(ctx);
}

/* What was given back comes last, and what others hold by a lease does not come at all. */
static void test_goes_round(void **state)
{
	struct lb_context *ctx = make_context("round", "10.20.0.0/29");
	struct network_identity identity;
	char leases[256];

	(void)state;
	assert_int_equal(choose(ctx, NULL, 0, &identity), 0);
	assert_string_equal(identity.ipv4, "10.20.0.2");
	assert_int_equal(choose(ctx, NULL, 0, &identity), 0);
	assert_string_equal(identity.ipv4, "10.20.0.3");
	snprintf(leases, sizeof leases, "%lld 00:16:3e:aa:00:01 10.20.0.4 x *\n%lld 00:16:3e:aa:00:02 10.20.0.5 x *\n",
		 (long long)time(NULL) + 100, (long long)time(NULL) - 100);
	put_file("round/network/lbunit-none/leases", leases);
	assert_int_equal(choose(ctx, NULL, 0, &identity), 0);
	assert_string_equal(identity.ipv4, "10.20.0.5");
	assert_int_equal(choose(ctx, NULL, 0, &identity), 0);
	assert_string_equal(identity.ipv4, "10.20.0.6");
	assert_int_equal(choose(ctx, NULL, 0, &identity), 0);
	assert_string_equal(identity.ipv4, "10.20.0.2");
	put_file("round/network/lbunit-none/last-address", "garbage");
	assert_int_equal(choose(ctx, NULL, 0, &identity), 0);
	assert_string_equal(identity.ipv4, "10.20.0.2");
	lb_context_free(ctx);
}

/* Addresses of another subnet, as adopted containers may have, take no room and do no harm. */
static void test_foreign_addresses(void **state)
{
	struct lb_context *ctx = make_context("foreign", "10.20.0.0/29");
	const struct network_identity taken[] = {
		{ .mac = "00:16:3e:aa:00:01", .ipv4 = "192.168.0.2" }, { .mac = "00:16:3e:aa:00:02", .ipv4 = "10.20.0.2" },       { .mac = "", .ipv4 = "" },
		{ .mac = "00:16:3e:aa:00:03", .ipv4 = "10.20.0.1" },   { .mac = "00:16:3e:aa:00:04", .ipv4 = "255.255.255.255" },
	};
	struct network_identity identity;

	(void)state;
	assert_int_equal(choose(ctx, taken, sizeof taken / sizeof *taken, &identity), 0);
	assert_string_equal(identity.ipv4, "10.20.0.3");
	lb_context_free(ctx);
}

static void test_reservation(void **state)
{
	struct lb_context *ctx = make_context("reservation", "10.20.0.0/24");
	const struct network_identity identity = { .mac = "00:16:3e:aa:00:01", .ipv4 = "10.20.0.2" };
	const struct network_identity hostile = { .mac = "00:16:3e:aa:00:01", .ipv4 = "10.20.0.2\n" };
	const char *path = "reservation/network/lbunit-none/hosts.d/tiger";
	char line[128] = { 0 };
	struct stat st;
	FILE *file;

	(void)state;
	assert_int_equal(reservation_write(ctx, "tiger", &identity), 0);
	assert_int_equal(reservation_write(ctx, "tiger", &identity), 0);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof line, file));
	fclose(file);
	assert_string_equal(line, "00:16:3e:aa:00:01,id:*,10.20.0.2,tiger\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(stat("reservation/network/lbunit-none/hosts.d", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(reservation_write(ctx, "../tiger", &identity), -LB_ERR_BAD_NAME);
	assert_int_equal(reservation_write(ctx, "tiger\nx", &identity), -LB_ERR_BAD_NAME);
	assert_int_equal(reservation_write(ctx, "lion", &hostile), -LB_ERR_BAD_VALUE);
	assert_int_equal(reservation_remove(ctx, NULL, "../tiger"), -LB_ERR_BAD_NAME);
	assert_int_equal(reservation_remove(ctx, NULL, "tiger"), 0);
	assert_int_equal(reservation_remove(ctx, NULL, "tiger"), 1);
	assert_false(exists(path));
	lb_context_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac),         cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_gateway),     cmocka_unit_test(test_exhausts),
		cmocka_unit_test(test_goes_round),  cmocka_unit_test(test_foreign_addresses),
		cmocka_unit_test(test_reservation),
	};

	return cmocka_run_group_tests_name("address", tests, scratch_enter, scratch_leave);
}
