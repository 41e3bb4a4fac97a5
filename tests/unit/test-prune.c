/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/snapshot/prune.h"

enum { NOW = 1790000000, HOUR = 3600, DAY = 24 * HOUR };

/* What a snapshot is to those who prune. */
struct made {
	int64_t age, expires_in;      /* before and behind NOW; expires_in 0: never */
	bool scheduled, doomed;
};

static void expect(const char *policy_text, const struct made *made, size_t count)
{
	const struct lb_context_options options = { .size = sizeof options, .config_file = "prune.conf" };
	struct lb_context *ctx = NULL;
	struct lb_snapshot all[16] = { 0 }, *snapshots[16];
	struct keep_policy policy;
	bool doomed[16];

	put_file("prune.conf", "");
	assert_int_equal(lb_context_new(&options, &ctx), 0);
	assert_null(keep_parse(policy_text, &policy));
	for (size_t i = 0; i < count; i++) {
		all[i].record.created = NOW - made[i].age;
		all[i].record.expires = made[i].expires_in ? NOW + made[i].expires_in : 0;
		all[i].record.scheduled = made[i].scheduled;
		snapshots[i] = &all[i];
	}
	assert_int_equal(prune_choose(ctx, &policy, snapshots, count, NOW, doomed), 0);
	for (size_t i = 0; i < count; i++)
		if (doomed[i] != made[i].doomed)
			fail_msg("%s: number %zu is %sdoomed", policy_text, i, doomed[i] ? "" : "not ");
	lb_context_free(ctx);
}

static void test_who_goes(void **state)
{
	static const struct made some[] = {
		{ .age = 9 * DAY, .scheduled = true, .doomed = true },
		{ .age = 8 * DAY }, /* somebody's own is not the policy's */
		{ .age = 7 * DAY, .expires_in = -1, .doomed = true },
		{ .age = 6 * DAY, .expires_in = -DAY, .scheduled = true, .doomed = true },
		{ .age = 5 * DAY, .expires_in = 1, .scheduled = true }, /* till then */
		{ .age = 4 * DAY, .expires_in = 1 },
		{ .age = 3 * DAY, .scheduled = true, .doomed = true },
		{ .age = 2 * DAY, .scheduled = true },
		{ .age = 1 * DAY, .scheduled = true },
		{ .age = 1 },
	};

	(void)state;
	expect("2", some, sizeof some / sizeof *some);
	expect("2d", some, sizeof some / sizeof *some);
}

/* What has expired takes no place from what has not. */
static void test_expired_do_not_count(void **state)
{
	static const struct made some[] = {
		{ .age = 3 * DAY, .scheduled = true },
		{ .age = 2 * DAY, .scheduled = true, .expires_in = -1, .doomed = true },
	};

	(void)state;
	expect("1", some, 2);
}

static void test_without_a_policy(void **state)
{
	static const struct made some[] = {
		{ .age = 900 * DAY, .scheduled = true },
		{ .age = 2 * DAY, .expires_in = -1, .doomed = true },
		{ .age = 2 * DAY, .scheduled = true },
	};

	(void)state;
	expect("", some, 3);
	expect("none", some, 3);
	expect("1d", NULL, 0);
}

/* Those of a clock that was ahead would else be the newest for as long, and every new one would go at once. */
static void test_from_the_future(void **state)
{
	static const struct made some[] = {
		{ .age = 2 * HOUR, .scheduled = true, .doomed = true },
		{ .age = HOUR, .scheduled = true },
		{ .age = 0, .scheduled = true },
		{ .age = -300 * DAY, .scheduled = true },
		{ .age = -301 * DAY, .scheduled = true },
	};

	(void)state;
	expect("2h", some, 5);
	expect("2", some, 5);
}

/* When the next one is counted from. */
static void test_since(void **state)
{
	struct lb_snapshot all[4] = { 0 };
	struct lb_snapshot *snapshots[] = { &all[0], &all[1], &all[2], &all[3] };

	(void)state;
	all[0].record = (struct snapshot_record){ .created = NOW - 2 * DAY, .scheduled = true };
	all[1].record = (struct snapshot_record){ .created = NOW - DAY, .scheduled = true };
	all[2].record = (struct snapshot_record){ .created = NOW - HOUR }; /* by hand */
	all[3].record = (struct snapshot_record){ .created = NOW + DAY, .scheduled = true }; /* by a clock ahead */
	assert_true(schedule_since(NOW - 9 * DAY, snapshots, 4, NOW) == NOW - DAY);
	assert_true(schedule_since(NOW - HOUR, snapshots, 4, NOW) == NOW - HOUR);
	assert_true(schedule_since(NOW - 9 * DAY, snapshots, 0, NOW) == NOW - 9 * DAY);
	assert_true(schedule_since(NOW + DAY, snapshots, 0, NOW) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_goes),
		cmocka_unit_test(test_expired_do_not_count),
		cmocka_unit_test(test_without_a_policy),
		cmocka_unit_test(test_from_the_future),
		cmocka_unit_test(test_since),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests_name("prune", tests, scratch_enter, scratch_leave);
}
