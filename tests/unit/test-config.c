/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/core/config.h"

static int load(const char *text, const char *root, struct lb_context **ret_ctx)
{
	const struct lb_context_options options = { .size = sizeof options, .root = root, .config_file = "test.conf" };

	put_file("test.conf", text);
	return lb_context_new(&options, ret_ctx);
}

static void test_defaults(void **state)
{
	struct lb_context *ctx = NULL;

	(void)state;
	assert_int_equal(load("", NULL, &ctx), 0);
	assert_string_equal(lb_context_root(ctx), "/var/lib/layerbox");
	assert_string_equal(ctx->config.base, "debian-bookworm");
	assert_string_equal(ctx->config.bridge, "lxcbr0");
	assert_string_equal(ctx->config.subnet, "10.0.3.0/24");
	assert_string_equal(ctx->config.domain, "lxc");
	assert_string_equal(ctx->config.mirror, "");
	assert_int_equal(ctx->config.id_start, 100000);
	assert_int_equal(ctx->config.host_names, HOST_NAMES_NONE);
	assert_int_equal(ctx->config.quarantine_seconds, 600);
	assert_string_equal(ctx->config.snapshot_schedule, "");
	assert_string_equal(ctx->config.snapshot_keep, "");
	assert_string_equal(ctx->config.backup_repository, "");
	assert_string_equal(ctx->config.backup_password_file, "");
	assert_string_equal(ctx->config.backup_environment_file, "");
	assert_string_equal(ctx->config.backup_keep, "");
	lb_context_free(ctx);
}

static void test_every_setting(void **state)
{
	struct lb_context *ctx = NULL;

	(void)state;
	assert_int_equal(load("# ours\nroot = /srv/osm-lxc/lxc/\nbase = busybox\nbridge = br-x.1\nsubnet=172.16.0.0/16\n"
			      "domain = box\nmirror = http://deb.example.org/debian\nid_start = 4294901759\nbase = last-wins\n"
			      "host_names = hosts\nquarantine = 7d\nsnapshot.schedule = Mon..Fri 22:30\n"
			      "snapshot.keep = 24h,7d\nbackup.repository = sftp:u@h:/srv/r\n"
			      "backup.password_file = /etc/p\nbackup.environment_file = /etc/e\nbackup.keep = none\n",
			      NULL, &ctx), 0);
	assert_string_equal(lb_context_root(ctx), "/srv/osm-lxc/lxc");
	assert_string_equal(ctx->config.base, "last-wins");
	assert_string_equal(ctx->config.bridge, "br-x.1");
	assert_string_equal(ctx->config.subnet, "172.16.0.0/16");
	assert_string_equal(ctx->config.domain, "box");
	assert_string_equal(ctx->config.mirror, "http://deb.example.org/debian");
	assert_true(ctx->config.id_start == 4294901759U);
	assert_int_equal(ctx->config.host_names, HOST_NAMES_FILE);
	assert_int_equal(ctx->config.quarantine_seconds, 7 * 86400);
	assert_string_equal(ctx->config.snapshot_schedule, "Mon..Fri 22:30");
	assert_string_equal(ctx->config.snapshot_keep, "24h,7d");
	assert_string_equal(ctx->config.backup_repository, "sftp:u@h:/srv/r");
	assert_string_equal(ctx->config.backup_password_file, "/etc/p");
	assert_string_equal(ctx->config.backup_environment_file, "/etc/e");
	assert_string_equal(ctx->config.backup_keep, "");
	lb_context_free(ctx);
}

static void test_bad_settings_say_file_and_line(void **state)
{
	static const char *const bad[][2] = {
		{ "root = /x\nrout = /y\n", "test.conf:2: rout is not a setting" },
		{ "Root = /x\n", "test.conf:1: Root is not a setting" },
		{ "\n\nroot\n", "test.conf:3: expected `key = value`" },
		{ "root = relative\n", "test.conf:1: root must be an absolute path" },
		{ "root =\n", "test.conf:1: root must be an absolute path" },
		{ "root = /with space\n", "test.conf:1: root must not contain" },
		{ "root = /with:colon\n", "root must not contain" },
		{ "root = /with,comma\n", "root must not contain" },
		{ "root = /with\\backslash\n", "root must not contain" },
		{ "root = /with\"quote\n", "root must not contain" },
		{ "root = /with\x01control\n", "root must not contain" },
		{ "root = /with\x7f" "delete\n", "root must not contain" },
		{ "base = ../x\n", "base must be the name of a base" },
		{ "base =\n", "base must be" },
		{ "bridge = sixteen-letters-\n", "bridge must be an interface name" },
		{ "bridge = a/b\n", "bridge must be" },
		{ "bridge = ..\n", "bridge must be" },
		{ "bridge = -x\n", "bridge must be" },
		{ "bridge = a b\n", "bridge must be" },
		{ "bridge =\n", "bridge must be" },
		{ "subnet = 10.0.3.0\n", "subnet must be an IPv4 subnet" },
		{ "subnet = /24\n", "subnet must be" },
		{ "subnet = 10.0.3/24\n", "subnet must be" },
		{ "subnet = 10.0.3.0/15\n", "from /16 to /29" },
		{ "subnet = 10.0.3.0/30\n", "from /16 to /29" },
		{ "subnet = 10.0.3.0/\n", "subnet must be" },
		{ "subnet = 10.0.3.0/24x\n", "subnet must be" },
		{ "subnet = 10.0.3.1/24\n", "subnet has host bits set" },
		{ "subnet = 999.0.3.0/24\n", "subnet must be" },
		{ "subnet = 1234567890123456789.0.0.0/24\n", "subnet must be" },
		{ "subnet = fd00::/64\n", "subnet must be" },
		{ "domain = a.b\n", "domain must be one DNS label" },
		{ "host_names = yes\n", "host_names must be none, hosts or resolved" },
		{ "host_names =\n", "host_names must be" },
		{ "host_names = Hosts\n", "host_names must be" },
		{ "quarantine = 10 m\n", "quarantine must be a time such as" },
		{ "quarantine = 10x\n", "quarantine must be" },
		{ "quarantine = m\n", "quarantine must be" },
		{ "quarantine =\n", "quarantine must be" },
		{ "quarantine = -1\n", "quarantine must be" },
		{ "quarantine = 366d\n", "quarantine must be" },
		{ "quarantine = 18446744073709551617s\n", "quarantine must be" },
		{ "backup.password_file = p\n", "backup.password_file must be an absolute path" },
		{ "backup.environment_file = e\n", "backup.environment_file must be an absolute path" },
		{ "snapshot.schedule = *:*/15\n", "snapshot.schedule must have * or minutes" },
		{ "snapshot.schedule = often\n", "snapshot.schedule must be none, hourly" },
		{ "snapshot.keep = 0\n", "snapshot.keep must be none, or how many" },
		{ "backup.keep = 7\\\n  d\n", "backup.keep must be none, or how many" },
		{ "id_start = 65535\n", "id_start must be a number" },
		{ "id_start = -1\n", "id_start must be" },
		{ "id_start = 99999999999999999999999\n", "id_start must be" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct lb_context *ctx = NULL;

		if (load(bad[i][0], NULL, &ctx) != -LB_ERR_BAD_CONFIG)
			fail_msg("\"%s\" is not refused", bad[i][0]);
		assert_contains(lb_context_error(ctx), "test.conf:");
		assert_contains(lb_context_error(ctx), bad[i][1]);
		lb_context_free(ctx);
	}
}

/* What stands behind a zero byte would be lost without a word. */
static void test_zero_byte(void **state)
{
	const struct lb_context_options options = { .size = sizeof options, .config_file = "zero.conf" };
	struct lb_context *ctx = NULL;
	FILE *file = fopen("zero.conf", "we");

	(void)state;
	assert_int_equal(fwrite("root = /a\n\0root = /b\n", 1, 21, file), 21);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(lb_context_new(&options, &ctx), -LB_ERR_BAD_CONFIG);
	assert_contains(lb_context_error(ctx), "zero.conf");
	lb_context_free(ctx);
}

static void test_root_given_by_the_caller_wins(void **state)
{
	struct lb_context *ctx = NULL;

	(void)state;
	assert_int_equal(load("root = /from/file\n", "/from/caller///", &ctx), 0);
	assert_string_equal(lb_context_root(ctx), "/from/caller");
	lb_context_free(ctx);
	assert_int_equal(load("", "relative", &ctx), -LB_ERR_BAD_VALUE);
	assert_contains(lb_context_error(ctx), "\"relative\" must be an absolute path");
	lb_context_free(ctx);
	assert_int_equal(load("", "", &ctx), -LB_ERR_BAD_VALUE);
	lb_context_free(ctx);
}

static void test_files_that_cannot_be_read(void **state)
{
	struct lb_context_options options = { .size = sizeof options, .config_file = "no-such.conf" };
	struct lb_context *ctx = NULL;

	(void)state;
	assert_int_equal(lb_context_new(&options, &ctx), -ENOENT);
	assert_contains(lb_context_error(ctx), "no-such.conf: No such file");
	lb_context_free(ctx);
	options.config_file = ".";
	assert_int_equal(lb_context_new(&options, &ctx), -EISDIR);
	lb_context_free(ctx);
	options.config_file = "/dev/zero";
	assert_int_equal(lb_context_new(&options, &ctx), -EFBIG);
	lb_context_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_every_setting),
		cmocka_unit_test(test_bad_settings_say_file_and_line),
		cmocka_unit_test(test_zero_byte),
		cmocka_unit_test(test_root_given_by_the_caller_wins),
		cmocka_unit_test(test_files_that_cannot_be_read),
	};

	return cmocka_run_group_tests_name("config", tests, scratch_enter, scratch_leave);
}
