/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <time.h>

#include "../../liblayerbox/core/schedule.h"
#include "../../liblayerbox/util/spawn.h"
#include "../../liblayerbox/util/text.h"

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static struct schedule schedule_of(const char *text)
{
	struct schedule schedule = { 0 };
	const char *why = schedule_parse(text, &schedule);

	if (why)
		fail_msg("\"%s\" is refused: it %s", text, why);
	return schedule;
}

/* In the time zone that is set; what the clock shows twice: the first, unless it ends in "2nd". */
static int64_t at(const char *text)
{
	struct tm tm = { .tm_isdst = -1 };
	const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);

	assert_non_null(end);
	if (text_equal(end, " 2nd"))
		tm.tm_isdst = 0;
	else if (text_equal(end, " 1st"))
		tm.tm_isdst = 1;
	return mktime(&tm);
}

static void expect(const char *text, const char *now, const char *last)
{
	const struct schedule schedule = schedule_of(text);
	int64_t moment = -1;

	if (!schedule_last(&schedule, 0, at(now), &moment))
		fail_msg("%s: there is none up to %s", text, now);
	if (moment != at(last))
		fail_msg("%s up to %s: %lld is not %s, %lld", text, now, (long long)moment, last, (long long)at(last));
	assert_true(schedule_is_due(&schedule, moment - 1, at(now)));
	assert_false(schedule_is_due(&schedule, moment, at(now)));
}

static void test_moments(void **state)
{
	static const char now[] = "2026-11-21 17:22:04"; /* a Saturday */

	(void)state;
	set_zone("UTC");
	expect("minutely", now, "2026-11-21 17:22:00");
	expect("hourly", now, "2026-11-21 17:00:00");
	expect("Hourly", now, "2026-11-21 17:00:00");
	expect("daily", now, "2026-11-21 00:00:00");
	expect("weekly", now, "2026-11-16 00:00:00");
	expect("monthly", now, "2026-11-01 00:00:00");
	expect("quarterly", now, "2026-10-01 00:00:00");
	expect("semiannually", now, "2026-07-01 00:00:00");
	expect("yearly", now, "2026-01-01 00:00:00");
	expect("annually", now, "2026-01-01 00:00:00");
	expect("*:0/15", now, "2026-11-21 17:15:00");
	expect("*:*:0/3", now, "2026-11-21 17:22:03");
	expect("Mon..Fri 22:30", now, "2026-11-20 22:30:00");
	expect("Mon..Fri *-*-* 22:30:10", now, "2026-11-20 22:30:10");
	expect("sat,Sunday 10:00", now, "2026-11-21 10:00:00");
	expect("Fri..Sun 18:00", now, "2026-11-20 18:00:00");
	expect("Mon", now, "2026-11-16 00:00:00");
	expect("*-*-01 04:00", now, "2026-11-01 04:00:00");
	expect("*-*-31", now, "2026-10-31 00:00:00");
	expect("*-02-29 12:00", now, "2024-02-29 12:00:00");
	expect("10-15", now, "2026-10-15 00:00:00");
	expect("2020..2022-05-06", now, "2022-05-06 00:00:00");
	expect("2001/10-01-01", now, "2021-01-01 00:00:00");
	expect("1970-01-01 00:01", now, "1970-01-01 00:01:00");
	expect("9..17/3:05,40", now, "2026-11-21 15:40:00");
	expect("17:22:04", now, "2026-11-21 17:22:04");
	expect("17:22:05", now, "2026-11-20 17:22:05");
	expect("23:59:59", "2026-01-01 00:00:00", "2025-12-31 23:59:59");
	expect("Fri *-*-13 00:00", now, "2026-11-13 00:00:00");
}

static void test_none_yet(void **state)
{
	const struct schedule later = schedule_of("2100-01-01"), daily = schedule_of("daily");
	int64_t moment;

	(void)state;
	set_zone("UTC");
	assert_false(schedule_last(&later, 0, at("2026-11-21 00:00:00"), &moment));
	assert_false(schedule_last(&daily, at("2026-11-21 00:00:00"), at("2026-11-21 23:59:59"), &moment));
	assert_true(schedule_last(&daily, at("2026-11-20 23:59:59"), at("2026-11-21 23:59:59"), &moment));
	/* The last one was made by a clock that was ahead. */
	assert_false(schedule_is_due(&daily, at("2030-01-01 00:00:00"), at("2026-11-21 23:59:59")));
}

/* Nothing is lost in spring and nothing comes twice in autumn, but every hour is an hour. */
static void test_clock_changes(void **state)
{
	(void)state;
	set_zone("Europe/Berlin");
	expect("02:30", "2026-03-29 03:29:59", "2026-03-28 02:30:00");
	expect("02:30", "2026-03-29 03:30:00", "2026-03-29 03:30:00");
	expect("02:30", "2026-03-29 12:00:00", "2026-03-29 03:30:00");
	expect("02:30", "2026-03-30 02:29:59", "2026-03-29 03:30:00");
	expect("03:15", "2026-03-29 03:20:00", "2026-03-29 03:15:00");
	expect("01:59", "2026-03-29 03:20:00", "2026-03-29 01:59:00");
	expect("Sat 23:30", "2026-03-29 12:00:00", "2026-03-28 23:30:00");
	expect("Sat 23:30", "2026-10-25 12:00:00", "2026-10-24 23:30:00");
	expect("hourly", "2026-03-29 03:29:00", "2026-03-29 03:00:00");
	expect("*:0/15", "2026-03-29 03:14:00", "2026-03-29 03:00:00");
	expect("02:30", "2026-10-25 02:40:00 1st", "2026-10-25 02:30:00 1st");
	expect("02:30", "2026-10-25 02:40:00 2nd", "2026-10-25 02:30:00 1st");
	expect("02:30", "2026-10-26 00:00:00", "2026-10-25 02:30:00 1st");
	expect("hourly", "2026-10-25 02:40:00 2nd", "2026-10-25 02:00:00 2nd");
	expect("hourly", "2026-10-25 02:40:00 1st", "2026-10-25 02:00:00 1st");
	expect("0/2:00", "2026-10-25 02:40:00 2nd", "2026-10-25 02:00:00 1st");
	set_zone("Australia/Lord_Howe"); /* by half an hour: 02:00 becomes 02:30 */
	expect("02:10", "2026-10-04 12:00:00", "2026-10-04 02:40:00");
	expect("*:10", "2026-10-04 02:50:00", "2026-10-04 02:40:00");
	set_zone("Asia/Beirut"); /* at midnight */
	expect("daily", "2026-03-29 12:00:00", "2026-03-29 01:00:00");
	expect("00:10", "2026-03-29 12:00:00", "2026-03-29 01:10:00");
}

static const char *const refused[] = {
	"",
	" ",
	"never",
	"dayly",
	"*",
	"*:",
	":00",
	"1",
	"12:00:00:00",
	"24:00",
	"*:60",
	"*:*:60",
	"12:00 pm",
	"*:*/15",
	"*/2:00",
	"5..3:00",
	"0/90:0",
	"1/0:0",
	"23/1:0",
	"12:00:00.5",
	"1,:00",
	",1:00",
	"1..:00",
	"12.30",
	"*-*-*-*",
	"*-*-32",
	"*-13-01",
	"*-0-1",
	"*-1-0",
	"1969-1-1",
	"2200-01-01",
	"70-1-1",
	"*-02-30",
	"*-04,06-31",
	"Mun 10:00",
	"Mon- 10:00",
	"Mon, 10:00",
	"Mon,,Tue",
	"Fri..Mon 10:00",
	"Sun..Mon",
	"Mo 10:00",
	"Mon..",
	"..Mon",
	" Mon 10:00",
	"Mon  10:00",
	"10:00 ",
	"10:00 Mon",
	"10:00 *-*-01",
	"Mon 10:00 UTC",
	"10:00 Europe/Berlin",
	"@1395716396",
	"*-*~1",
	"Mon *-*-01 10:00 x",
	"10:00\n",
	"\n",
	"Mon\t10:00",
	"99999999999:00",
	"-1:00",
	"hourly daily",
	"daily 10:00",
	"+5:00",
	"0x1:00",
	"*-*-01T04:00",
};

static void test_what_is_refused(void **state)
{
	struct schedule schedule;
	char text[600];

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		const char *why = schedule_parse(refused[i], &schedule);

		if (!why)
			fail_msg("\"%s\" is not refused", refused[i]);
		assert_true(strncmp(why, "must ", 5) == 0);
	}
	memset(text, '1', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_non_null(schedule_parse(text, &schedule));
	assert_contains(schedule_parse("*:*/15", &schedule), "0/15");
	assert_contains(schedule_parse("Mun 10:00", &schedule), "weekdays");
}

/* ---- what systemd says ---- */

/* The first moment behind @base, in UTC; 0: never, -1: it is refused. */
static int64_t ask_systemd(const char *text, int64_t base)
{
	CLEANUP_FREE char *output = NULL;
	char since[64];
	const char *argv[] = { "systemd-analyze", "calendar", "--base-time", since, text, NULL };
	struct tm tm;
	time_t t = (time_t)base;
	const char *line;
	int status = -1;

	gmtime_r(&t, &tm);
	strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S UTC", &tm);
	assert_int_equal(spawn_run(argv, &(struct spawn_options){ 0 }, &status, &output), 0);
	if (status != 0)
		return -1;
	line = strstr(output, "(in UTC): ");
	if (line)
		line += strlen("(in UTC): ");
	else if ((line = strstr(output, "Next elapse: ")))
		line += strlen("Next elapse: ");
	if (!line || text_after(line, "never"))
		return 0;
	tm = (struct tm){ 0 };
	assert_non_null(strptime(line, "%a %Y-%m-%d %H:%M:%S UTC", &tm));
	return timegm(&tm);
}

static bool has_systemd(void)
{
	CLEANUP_FREE char *path = NULL;

	return spawn_find("systemd-analyze", &path) && ask_systemd("daily", 1790000000) > 0;
}

/* Between @base and the moment that systemd finds there is none for us either, and that one is one. */
static void compare(const char *text, int64_t base)
{
	const struct schedule schedule = schedule_of(text);
	int64_t theirs = ask_systemd(text, base), moment = 0;

	if (theirs < 0)
		fail_msg("systemd refuses \"%s\"", text);
	if (theirs == 0)
		return;
	if (schedule_last(&schedule, base, theirs - 1, &moment))
		fail_msg("%s behind %lld: systemd says %lld, but %lld comes first", text, (long long)base,
			 (long long)theirs, (long long)moment);
	if (!schedule_last(&schedule, base, theirs, &moment) || moment != theirs)
		fail_msg("%s behind %lld: systemd says %lld", text, (long long)base, (long long)theirs);
}

static void test_as_systemd_does(void **state)
{
	static const char *const texts[] = {
		"minutely",
		"hourly",
		"daily",
		"weekly",
		"monthly",
		"quarterly",
		"semiannually",
		"yearly",
		"*:0/15",
		"*:*:0/7",
		"Mon..Fri 22:30",
		"Sat,Sun 04:00",
		"Mon,Wed..Thu,Sunday *-*-* 10:00:30",
		"*-*-01 04:00",
		"Tue",
		"*-*-1/10 00:00",
		"2..8/3,23:00",
		"9..17/3:05,40",
		"20/1:0",
		"10-15",
		"*-02-29",
		"2027/2-03-01..07 12:00",
		"*-*-*",
		"Fri *-*-13 13:13:13",
		"01,13:5..10/2:59",
		"*-06..08-* *:30",
		"5:06",
	};
	/* Far from changes of the clock in both zones; not at the end of a minute, where systemd 252 misses steps. */
	static const int64_t bases[] = { 1767225600, 1772323160, 1782864000, 1790000000, 1709164800 };

	(void)state;
	if (!has_systemd())
		skip();
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		for (size_t k = 0; k < sizeof bases / sizeof *bases; k++) {
			set_zone("UTC");
			compare(texts[i], bases[k]);
		}
		set_zone("Europe/Berlin");
		compare(texts[i], bases[i % (sizeof bases / sizeof *bases)]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moments),         cmocka_unit_test(test_none_yet),
		cmocka_unit_test(test_clock_changes),   cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_as_systemd_does),
	};

	return cmocka_run_group_tests_name("schedule", tests, scratch_enter, scratch_leave);
}
