/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/container/record.h"
#include "../../liblayerbox/core/store.h"

#define GOOD                                      \
	"base = debian-bookworm@3\n"              \
	"privileged = no\n"                       \
	"id_range = 165536:65536\n"               \
	"mac = 00:16:3e:0a:0b:0c\n"               \
	"ipv4 = 10.0.3.17\n"                      \
	"created = 1700000000\n"

static struct lb_context *ctx;

static int setup(void **state)
{
	char root[4096];
	const struct lb_context_options options = { .size = sizeof options, .root = root, .config_file = "/dev/null" };

	if (scratch_enter(state) < 0 || !getcwd(root, sizeof root))
		return -1;
	return lb_context_new(&options, &ctx) < 0 || store_prepare(ctx) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	lb_context_free(ctx);
	return scratch_leave(state);
}

static int read_text(const char *text, struct record *record)
{
	CLEANUP_FD int fd = -1;

	mkdir("containers/a", 0700);
	put_file("containers/a/container.conf", text);
	fd = open("containers/a", O_PATH | O_DIRECTORY);
	return record_read(ctx, fd, "a", record);
}

static void test_reads_what_it_writes(void **state)
{
	struct record record = { 0 }, again = { 0 };
	CLEANUP_FD int fd = -1;
	char *first, *second;

	(void)state;
	assert_int_equal(read_text(GOOD "static = yes\ndescription = a # b ; c\nmemory = 512M\ncpus = 0.5\npids = 100\nautostart = no\n"
				   "ipv4_before = 10.0.3.16\n"
				   "forwards = 8883:1883/tcp, [2001:db8::1]:53:53/udp\nnet.rules = allow 10.0.0.0/8, deny all\n"
				   "isolated = no\nnet.ingress = 100Mbit\nnet.egress = 512kbit\n",
				   &record),
			 0);
	assert_string_equal(record.base, "debian-bookworm");
	assert_int_equal(record.generation, 3);
	assert_int_equal(record.id_start, 165536);
	assert_string_equal(record.identity.ipv4, "10.0.3.17");
	assert_string_equal(record.ipv4_before, "10.0.3.16");
	assert_string_equal(record.description, "a # b ; c");
	assert_int_equal(record.limits.memory_bytes, 512 << 20);
	assert_false(record.autostart);
	assert_true(record.identity.is_static);
	assert_int_equal(record.forwards.count, 2);
	assert_int_equal(record.forwards.items[0].target_port, 1883);
	assert_int_equal(record.egress.count, 3);
	assert_false(record.egress.items[1].allow);
	assert_int_equal(record.uplink.isolation, ISOLATION_NO);
	assert_int_equal(record.uplink.ingress_bps, 100000000);
	assert_int_equal(record.uplink.egress_bps, 512000);
	fd = open("containers/a", O_RDONLY | O_DIRECTORY);
	assert_int_equal(record_write(ctx, fd, "a", &record), 0);
	assert_int_equal(record_read(ctx, fd, "a", &again), 0);
	assert_true(again.identity.is_static);
	first = record_to_text(&record);
	second = record_to_text(&again);
	assert_contains(first, "forwards = 8883:1883/tcp, [2001:db8::1]:53:53/udp\n");
	assert_contains(first, "net.rules = allow 10.0.0.0/8, deny 0.0.0.0/0, deny ::/0\n");
	assert_string_equal(first, second);
	free(first);
	free(second);
	record_free(&record);
	record_free(&again);
}

static void test_broken_records(void **state)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{ "", ":1: the key `base` is missing" },
		{ GOOD "colour = red\n", ":7: colour is not a key" },
		{ GOOD "mac = 00:16:3E:0A:0B:0C\n", ":7: mac must be" },
		{ GOOD "ipv4 = 10.0.3.256\n", ":7: ipv4 must be" },
		{ GOOD "static = perhaps\n", ":7: static must be yes or no" },
		{ GOOD "ipv4_before = 10.0.3\n", ":7: ipv4_before must be" },
		{ GOOD "ipv4 = 10.0.3.1,evil\n", ":7: ipv4 must be" },
		{ GOOD "base = ../../etc@1\n", ":7: base must be" },
		{ GOOD "base = debian\n", ":7: base must be" },
		{ GOOD "id_range = 4294967295:65536\n", ":7: id_range must be" },
		{ GOOD "id_range = 0:65536\n", ":7: id_range must be" },
		{ GOOD "privileged = perhaps\n", ":7: privileged must be" },
		{ GOOD "forwards = 80:81:82\n", ":7: forwards must be" },
		{ GOOD "net.rules = deny 10.0.0.1/8\n", ":7: net.rules must not have host bits" },
		{ GOOD "net.ingress = 100\n", ":7: net.ingress must be" },
		{ GOOD "nonsense\n", ":7: expected `key = value`" },
		{ "base = b@1\nmac = 00:16:3e:00:00:00\nipv4 = 10.0.3.2\n", "`id_range` is missing" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct record record = { 0 };

		if (read_text(cases[i].text, &record) != -LB_ERR_BAD_CONFIG)
			fail_msg("taken: %s", cases[i].text);
		assert_contains(lb_context_error(ctx), "containers/a/container.conf");
		assert_contains(lb_context_error(ctx), cases[i].sentence);
		assert_null(record.description);
	}
}

static void test_names_and_users(void **state)
{
	struct text_list names = { 0 };
	struct record record = { 0 };

	(void)state;
	assert_int_equal(read_text(GOOD, &record), 0);
	record_free(&record);
	mkdir("containers/.new-b", 0700);
	mkdir("containers/.deleted-c.12345678", 0700);
	mkdir("containers/Not_A_Name", 0700);
	put_file("containers/file", "");
	assert_int_equal(record_list_names(ctx, &names), 0);
	assert_int_equal(names.count, 1);
	assert_string_equal(names.items[0], "a");
	text_list_free(&names);
	assert_int_equal(record_base_users(ctx, "debian-bookworm", 3, &names), 0);
	assert_int_equal(names.count, 1);
	text_list_free(&names);
	assert_int_equal(record_base_users(ctx, "debian-bookworm", 2, &names), 0);
	assert_int_equal(names.count, 0);
	assert_int_equal(record_base_users(ctx, "debian", 0, &names), 0);
	assert_int_equal(names.count, 0);
	put_file("containers/a/container.conf", "broken");
	assert_int_equal(record_base_users(ctx, "debian-bookworm", 0, &names), -LB_ERR_BAD_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_what_it_writes),
		cmocka_unit_test(test_broken_records),
		cmocka_unit_test(test_names_and_users),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
