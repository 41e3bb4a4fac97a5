/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <time.h>

#include "../../liblayerbox/core/keep.h"
#include "../../liblayerbox/util/text.h"

enum { HOUR = 3600, DAY = 24 * HOUR, MANY = 400 };

static int64_t at(const char *text)
{
	struct tm tm = { .tm_isdst = -1 };

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M:%S", &tm));
	return mktime(&tm);
}

static struct keep_policy policy_of(const char *text)
{
	struct keep_policy policy = { 0 };
	const char *why = keep_parse(text, &policy);

	if (why)
		fail_msg("\"%s\" is refused: it %s", text, why);
	return policy;
}

static void test_what_can_be_read(void **state)
{
	const struct keep_policy all = policy_of("24h,7d,4w,12m,2y"), some = policy_of("5, 3d"),
				 none = policy_of("none");

	(void)state;
	assert_int_equal(all.newest, 0);
	assert_int_equal(all.hours, 24);
	assert_int_equal(all.days, 7);
	assert_int_equal(all.weeks, 4);
	assert_int_equal(all.months, 12);
	assert_int_equal(all.years, 2);
	assert_int_equal(some.newest, 5);
	assert_int_equal(some.days, 3);
	assert_int_equal(none.newest, 0);
	(void)policy_of("");
}

static void test_what_is_refused(void **state)
{
	static const char *const bad[] = { "0",
					   "0d",
					   "-1",
					   "d",
					   "7d,",
					   ",7d",
					   "7d,7d",
					   "7x",
					   "7dd",
					   "7 d",
					   "7d 24h",
					   "100001",
					   "7d,\n3w",
					   "7d\n",
					   "all",
					   "None",
					   "none,7d",
					   " ",
					   "99999999999999999999h",
					   "5,6",
					   "7D" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct keep_policy policy;

		if (!keep_parse(bad[i], &policy))
			fail_msg("\"%s\" is not refused", bad[i]);
		assert_contains(keep_parse(bad[i], &policy), "must be");
	}
}

/* @kept: a letter for each time, k or -. */
static void expect(const char *policy_text, const char *const *texts, const char *kept)
{
	const struct keep_policy policy = policy_of(policy_text);
	int64_t times[64];
	bool result[64];
	size_t count = strlen(kept);

	for (size_t i = 0; i < count; i++)
		times[i] = at(texts[i]);
	keep_select(&policy, times, count, INT64_MAX, result);
	for (size_t i = 0; i < count; i++)
		if (result[i] != (kept[i] == 'k'))
			fail_msg("%s: %s is %skept", policy_text, texts[i], result[i] ? "" : "not ");
}

static void test_the_newest_of_each(void **state)
{
	static const char *const times[] = {
		"2025-12-28 10:00:00", /* Sunday */
		"2025-12-29 10:00:00", /* Monday of the week that 1 January is in */
		"2026-01-01 09:00:00", "2026-01-01 12:00:00", "2026-01-01 12:59:59",
		"2026-01-01 13:00:00", "2026-01-04 23:59:59", /* Sunday */
		"2026-01-05 00:00:00", /* Monday */
	};

	(void)state;
	expect("", times, "kkkkkkkk");
	expect("1", times, "-------k");
	expect("3", times, "-----kkk");
	expect("100", times, "kkkkkkkk");
	expect("1h", times, "-------k");
	expect("4h", times, "----kkkk");
	expect("1d", times, "-------k");
	expect("3d", times, "-----kkk");
	expect("4d", times, "-k---kkk");
	expect("1w", times, "-------k");
	expect("2w", times, "------kk");
	expect("3w", times, "k-----kk");
	expect("2m", times, "-k-----k");
	expect("9m", times, "-k-----k");
	expect("2y", times, "-k-----k");
	expect("2,3w", times, "k-----kk");
	expect("4h,2m", times, "-k--kkkk");
}

/* In Berlin, 2026-10-25: 02:30 CEST, then 02:30 CET; they are two hours, and the day has 25. */
static void test_clock_changes(void **state)
{
	const int64_t first = 1792888200, times[] = { first, first + HOUR, first + 2 * HOUR };
	struct keep_policy policy = policy_of("2h");
	bool kept[3];

	(void)state;
	keep_select(&policy, times, 3, INT64_MAX, kept);
	assert_false(kept[0]);
	assert_true(kept[1] && kept[2]);
	policy = policy_of("3h");
	keep_select(&policy, times, 3, INT64_MAX, kept);
	assert_true(kept[0] && kept[1] && kept[2]);
	policy = policy_of("2d");
	keep_select(&policy, times, 3, INT64_MAX, kept);
	assert_true(!kept[0] && !kept[1] && kept[2]);
}

static size_t without_the_lost(int64_t *times, size_t count, const bool *kept)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (kept[i])
			times[n++] = times[i];
	return n;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The newest is kept; a second look keeps what the first did; what is newer brings nothing back; more keeps more. */
static void check_properties(const int64_t *times, size_t count, const struct keep_policy *policy)
{
	struct keep_policy more = *policy;
	int64_t again[MANY + 1];
	bool kept[MANY + 1], second[MANY + 1];
	size_t n;

	keep_select(policy, times, count, INT64_MAX, kept);
	assert_true(kept[count - 1]);
	memcpy(again, times, count * sizeof *times);
	n = without_the_lost(again, count, kept);
	keep_select(policy, again, n, INT64_MAX, second);
	for (size_t i = 0; i < n; i++)
		assert_true(second[i]);
	memcpy(again, times, count * sizeof *times);
	again[count] = again[count - 1] + 1 + rand() % (3 * DAY);
	keep_select(policy, again, count + 1, INT64_MAX, second);
	assert_true(second[count]);
	for (size_t i = 0; i < count; i++)
		assert_true(kept[i] || !second[i]);
	more.newest++;
	more.hours += 2;
	more.days++;
	more.weeks++;
	more.months++;
	more.years++;
	keep_select(&more, times, count, INT64_MAX, second);
	for (size_t i = 0; i < count; i++)
		assert_true(second[i] || !kept[i]);
}

static void test_properties(void **state)
{
	static const int steps[] = { 60, HOUR, DAY, 20 * DAY };

	(void)state;
	srand(1);
	for (int round = 0; round < 400; round++) {
		struct keep_policy policy = { .newest = 1 };
		int64_t times[MANY];
		size_t count = 1 + (size_t)rand() % MANY;

		for (size_t i = 0; i < count; i++)
			times[i] = (i ? times[i - 1] : 1700000000) + rand() % steps[rand() % 4];
		qsort(times, count, sizeof *times, compare);
		policy = (struct keep_policy){ .hours = (unsigned)rand() % 30,
					       .days = (unsigned)rand() % 10,
					       .weeks = (unsigned)rand() % 6,
					       .months = (unsigned)rand() % 13,
					       .years = (unsigned)rand() % 3,
					       .newest = (unsigned)rand() % 4 };
		if (!(policy.hours || policy.days || policy.weeks || policy.months || policy.years || policy.newest))
			policy.days = 1;
		check_properties(times, count, &policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_can_be_read),   cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_the_newest_of_each), cmocka_unit_test(test_clock_changes),
		cmocka_unit_test(test_properties),
	};

	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	return cmocka_run_group_tests_name("keep", tests, scratch_enter, scratch_leave);
}
