/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/container/settings.h"

#define LINE_10 "0123456789"
#define LINE_100 LINE_10 LINE_10 LINE_10 LINE_10 LINE_10 LINE_10 LINE_10 LINE_10 LINE_10 LINE_10
#define LINE_1000 LINE_100 LINE_100 LINE_100 LINE_100 LINE_100 LINE_100 LINE_100 LINE_100 LINE_100 LINE_100

/* What a value becomes, in its normal form; "!" for one that is refused. */
static const struct {
	const char *key, *value, *normal;
} cases[] = {
	{ "memory", "512M", "512M" },
	{ "memory", "512m", "512M" },
	{ "memory", "1024M", "1G" },
	{ "memory", "2GiB", "2G" },
	{ "memory", "4194304", "4M" },
	{ "memory", "4194305", "4194305" },
	{ "memory", "", "" },
	{ "memory", "1M", "!" },
	{ "memory", "0", "!" },
	{ "memory", "-1", "!" },
	{ "memory", "1.5G", "!" },
	{ "memory", "512X", "!" },
	{ "memory", "512MB", "!" },
	{ "memory", "M", "!" },
	{ "memory", "99999999999999999999", "!" },
	{ "memory", "99999999999999T", "!" },
	{ "memory", "512M\n", "!" },
	{ "cpus", "2", "2" },
	{ "cpus", "0.5", "0.5" },
	{ "cpus", "1.250", "1.25" },
	{ "cpus", "0.01", "0.01" },
	{ "cpus", "", "" },
	{ "cpus", "0.001", "!" },
	{ "cpus", "0", "!" },
	{ "cpus", ".5", "!" },
	{ "cpus", "1.", "!" },
	{ "cpus", "1.2345", "!" },
	{ "cpus", "5000", "!" },
	{ "cpus", "1,5", "!" },
	{ "cpus", "1e3", "!" },
	{ "snapshot.schedule", "Mon..Fri 22:30", "Mon..Fri 22:30" },
	{ "snapshot.schedule", "none", "none" },
	{ "snapshot.schedule", "", "" },
	{ "snapshot.schedule", "*:*/15", "!" },
	{ "snapshot.schedule", "often", "!" },
	{ "snapshot.schedule", "hourly\n", "!" },
	{ "snapshot.keep", "24h,7d,4w,12m,2y", "24h,7d,4w,12m,2y" },
	{ "snapshot.keep", "5", "5" },
	{ "snapshot.keep", "none", "none" },
	{ "snapshot.keep", "", "" },
	{ "snapshot.keep", "0", "!" },
	{ "snapshot.keep", "24h\n", "!" },
	{ "backup.pre", "/usr/local/bin/dump --all", "/usr/local/bin/dump --all" },
	{ "backup.pre", "a\nb", "!" },
	{ "backup.post", "", "" },
	{ "backup.post", LINE_1000 "x", "!" },
	{ "pids", "100", "100" },
	{ "pids", "", "" },
	{ "pids", "0", "!" },
	{ "pids", "4194305", "!" },
	{ "pids", "ten", "!" },
	{ "net.rules", "deny all", "deny 0.0.0.0/0, deny ::/0" },
	{ "net.rules", "", "" },
	{ "net.rules", "deny 10.0.0.1/8", "!" },
	{ "net.ingress", "100Mbit", "100Mbit" },
	{ "net.ingress", "100mbit", "100Mbit" },
	{ "net.ingress", "1000Mbit", "1Gbit" },
	{ "net.ingress", "1500Mbit", "1500Mbit" },
	{ "net.ingress", "64kbit", "64kbit" },
	{ "net.ingress", "128000KBIT", "128Mbit" },
	{ "net.ingress", "100Gbit", "100Gbit" },
	{ "net.ingress", "", "" },
	{ "net.ingress", "63kbit", "!" },
	{ "net.ingress", "101Gbit", "!" },
	{ "net.ingress", "0Mbit", "!" },
	{ "net.ingress", "-1Mbit", "!" },
	{ "net.ingress", "1.5Gbit", "!" },
	{ "net.ingress", "100000000", "!" },
	{ "net.ingress", "100000000bit", "!" },
	{ "net.ingress", "100M", "!" },
	{ "net.ingress", "100Mbps", "!" },
	{ "net.ingress", "100Mbits", "!" },
	{ "net.ingress", "100 Mbit", "!" },
	{ "net.ingress", "Mbit", "!" },
	{ "net.ingress", "100Mbit\n", "!" },
	{ "net.ingress", "18446744073709551616kbit", "!" },
	{ "net.ingress", "18446744074Gbit", "!" },
	{ "net.egress", "5Mbit", "5Mbit" },
	{ "net.egress", "", "" },
	{ "net.egress", "fast", "!" },
	{ "isolated", "yes", "yes" },
	{ "isolated", "off", "no" },
	{ "isolated", "", "" },
	{ "isolated", "perhaps", "!" },
	{ "autostart", "no", "no" },
	{ "autostart", "on", "yes" },
	{ "autostart", "", "!" },
	{ "autostart", "maybe", "!" },
	{ "description", "the tigers' broker ; #1", "the tigers' broker ; #1" },
	{ "description", "", "" },
	{ "description", "two\nlines", "!" },
	{ "description", " led by a space", "!" },
	{ "description", "ends with a backslash\\", "!" },
	{ "health.command", "mosquitto_sub -t $SYS/broker/uptime -C 1", "mosquitto_sub -t $SYS/broker/uptime -C 1" },
	{ "health.command", "/usr/bin/true", "/usr/bin/true" },
	{ "health.command", "", "" },
	{ "health.command", "two\nlines", "!" },
	{ "health.command", "a\ttab", "!" },
	{ "health.command", " led by a space", "!" },
	{ "health.command", "ends with a space ", "!" },
	{ "health.command", "ends with a backslash\\", "!" },
	{ "health.command", LINE_1000, LINE_1000 },
	{ "health.command", LINE_1000 "x", "!" },
};

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct record record = { .autostart = true, .description = strdup("") };
		const struct setting_key *key = settings_find(cases[i].key);
		const char *why = setting_set(key, &record, cases[i].value);
		char *got = setting_get(key, &record);

		if (*cases[i].normal == '!') {
			if (!why)
				fail_msg("%s=%s was taken, as %s", cases[i].key, cases[i].value, got);
		} else if (why || strcmp(got, cases[i].normal) != 0) {
			fail_msg("%s=%s became \"%s\" (%s)", cases[i].key, cases[i].value, got, why ? why : "taken");
		}
		free(got);
		record_free(&record);
	}
}

static void test_refused_value_changes_nothing(void **state)
{
	struct record record = {
		.limits = { .memory_bytes = 1 << 30, .cpu_millis = 500, .pids = 7 },
		.uplink = { .ingress_bps = 1000000, .egress_bps = 64000, .isolation = ISOLATION_YES },
	};

	(void)state;
	assert_non_null(setting_set(settings_find("memory"), &record, "nonsense"));
	assert_non_null(setting_set(settings_find("cpus"), &record, "nonsense"));
	assert_non_null(setting_set(settings_find("pids"), &record, "nonsense"));
	assert_non_null(setting_set(settings_find("net.ingress"), &record, "nonsense"));
	assert_non_null(setting_set(settings_find("net.egress"), &record, "1kbit"));
	assert_non_null(setting_set(settings_find("isolated"), &record, "nonsense"));
	assert_int_equal(record.uplink.ingress_bps, 1000000);
	assert_int_equal(record.uplink.egress_bps, 64000);
	assert_int_equal(record.uplink.isolation, ISOLATION_YES);
	assert_int_equal(record.limits.memory_bytes, 1 << 30);
	assert_int_equal(record.limits.cpu_millis, 500);
	assert_int_equal(record.limits.pids, 7);
}

/* One is a line that people wrote, the other one is run. */
static void test_description_is_no_check(void **state)
{
	struct record record = { 0 };
	char *got;

	(void)state;
	assert_null(setting_set(settings_find("health.command"), &record, "/usr/bin/check me"));
	assert_null(setting_set(settings_find("description"), &record, "a broker"));
	assert_non_null(setting_set(settings_find("health.command"), &record, "two\nlines"));
	got = setting_get(settings_find("health.command"), &record);
	assert_string_equal(got, "/usr/bin/check me");
	free(got);
	assert_null(setting_set(settings_find("health.command"), &record, ""));
	assert_string_equal(record.description, "a broker");
	record_free(&record);
}

/* Each of the two stands for itself. */
static void test_ingress_is_not_egress(void **state)
{
	struct record record = { 0 };

	(void)state;
	assert_null(setting_set(settings_find("net.ingress"), &record, "1Mbit"));
	assert_null(setting_set(settings_find("net.egress"), &record, "2Gbit"));
	assert_int_equal(record.uplink.ingress_bps, 1000000);
	assert_int_equal(record.uplink.egress_bps, 2000000000);
	assert_null(setting_set(settings_find("net.ingress"), &record, ""));
	assert_int_equal(record.uplink.ingress_bps, 0);
	assert_int_equal(record.uplink.egress_bps, 2000000000);
}

static void test_keys_are_listed(void **state)
{
	size_t n = 0;

	(void)state;
	while (lb_container_key(n)) {
		assert_non_null(settings_find(lb_container_key(n)));
		n++;
	}
	assert_int_equal(n, 30);
	assert_null(lb_container_key(n + 10));
	assert_null(settings_find("colour"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refused_value_changes_nothing),
		cmocka_unit_test(test_ingress_is_not_egress),
		cmocka_unit_test(test_description_is_no_check),
		cmocka_unit_test(test_keys_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
