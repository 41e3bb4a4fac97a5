/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "schedule.h"

#include <strings.h>
#include <time.h>

#include "../util/text.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, CLOCK_CHANGE_MAX = 3 * HOUR, WORDS_MAX = 3 };

static const char rule[] = "must be none, hourly, daily, weekly, monthly, yearly, or a moment as in systemd.time(7): "
			   "[WEEKDAYS] [YEAR-MONTH-DAY] [HOUR:MINUTE[:SECOND]], such as \"Mon..Fri 22:30\", \"*:0/15\" "
			   "or \"*-*-01 04:00\"";

/* ---- reading ---- */

struct field {
	unsigned min, max;
	const char *why;
};

static const struct field year = {
	SCHEDULE_YEAR_MIN, SCHEDULE_YEAR_MAX,
	"must have * or years from 1970 to 2199 in its date, written as in 2027, 2027..2029 or 2027/2"
};
static const struct field month = {
	1, 12, "must have * or months from 1 to 12 in its date, written as in 1, 1..3, 1/3 or 1,7"
};
static const struct field day = { 1, 31,
				  "must have * or days from 1 to 31 in its date, written as in 1, 1..7, 1/10 or 1,15" };
static const struct field hour = { 0, 23, "must have * or hours from 0 to 23, written as in 4, 9..17, 0/6 or 6,18" };
static const struct field minute = { 0, 59,
				     "must have * or minutes from 0 to 59, written as in 30, 0..9, 0/15 or 0,30" };
static const struct field second = { 0, 59,
				     "must have * or seconds from 0 to 59, written as in 30, 0..9, 0/15 or 0,30" };

static void set_bit(uint64_t *bits, unsigned i)
{
	bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static bool has_bit(const uint64_t *bits, unsigned i)
{
	return bits[i / 64] & UINT64_C(1) << (i % 64);
}

/* Takes a number off the text; false where there is none. */
static bool take_number(const char **p, unsigned *ret_number)
{
	unsigned number = 0;
	size_t n = strspn(*p, "0123456789");

	if (n == 0 || n > 4)
		return false;
	for (size_t i = 0; i < n; i++)
		number = number * 10 + (unsigned)((*p)[i] - '0');
	*p += n;
	*ret_number = number;
	return true;
}

/* One of a list: 4, 1..5, 0/15, 9..17/2. A step must lead to another value, as systemd has it. */
static bool take_values(const char **p, const struct field *field, unsigned offset, uint64_t *bits)
{
	unsigned first, last, step = 0;

	if (!take_number(p, &first))
		return false;
	last = first;
	if (text_after(*p, "..")) {
		*p += 2;
		if (!take_number(p, &last) || last < first)
			return false;
		step = 1;
	}
	if (**p == '/') {
		bool open = step == 0;

		++*p;
		if (!take_number(p, &step) || step == 0)
			return false;
		last = open ? field->max : last;
		if (first + step > last)
			return false;
	}
	if (first < field->min || last > field->max)
		return false;
	for (unsigned i = first; i <= last; i += step ? step : 1)
		set_bit(bits, i - offset);
	return true;
}

/* All of a text: *, or a list. */
static const char *read_field(const char *text, const struct field *field, unsigned offset, uint64_t *bits)
{
	if (text_equal(text, "*")) {
		for (unsigned i = field->min; i <= field->max; i++)
			set_bit(bits, i - offset);
		return NULL;
	}
	do {
		if (!take_values(&text, field, offset, bits))
			return field->why;
	} while (*text == ',' && *++text);
	return *text || text[-1] == ',' ? field->why : NULL;
}

static bool take_weekday(const char **p, unsigned *ret_day)
{
	static const char *const names[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
					     "Thursday", "Friday", "Saturday" };
	size_t n = strspn(*p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		if ((n != 3 && n != strlen(names[i])) || strncasecmp(*p, names[i], n) != 0)
			continue;
		*p += n;
		*ret_day = i;
		return true;
	}
	return false;
}

/* Mon,Wed..Fri: a week begins with Monday. */
static const char *read_weekdays(const char *text, struct schedule *schedule)
{
	static const char why[] = "must have weekdays in front, written as in Mon, Mon..Fri or Sat,Sun";
	unsigned first, last;

	for (;;) {
		if (!take_weekday(&text, &first))
			return why;
		last = first;
		if (text_after(text, "..")) {
			text += 2;
			if (!take_weekday(&text, &last) || (last + 6) % 7 < (first + 6) % 7)
				return why;
		}
		for (unsigned i = first;; i = (i + 1) % 7) {
			set_bit(&schedule->weekdays, i);
			if (i == last)
				break;
		}
		if (!*text)
			return NULL;
		if (*text++ != ',')
			return why;
	}
}

/* Splits @text at each @separator, in place; how many parts there are, @max + 1 for more than that. */
static size_t split(char *text, char separator, char **parts, size_t max)
{
	size_t count = 0;

	for (;;) {
		char *end = strchr(text, separator);

		if (count == max)
			return max + 1;
		parts[count++] = text;
		if (!end)
			return count;
		*end = '\0';
		text = end + 1;
	}
}

static const char *read_date(char *text, struct schedule *schedule)
{
	char *parts[3];
	size_t count = split(text, '-', parts, 3), at = 0;
	const char *why;

	if (count < 2 || count > 3)
		return rule;
	why = read_field(count == 3 ? parts[at++] : "*", &year, SCHEDULE_YEAR_MIN, schedule->years);
	if (!why)
		why = read_field(parts[at++], &month, 0, &schedule->months);
	return why ? why : read_field(parts[at], &day, 0, &schedule->days);
}

static const char *read_time(char *text, struct schedule *schedule)
{
	char *parts[3];
	size_t count = split(text, ':', parts, 3);
	const char *why;

	if (count < 2 || count > 3)
		return rule;
	why = read_field(parts[0], &hour, 0, &schedule->hours);
	if (!why)
		why = read_field(parts[1], &minute, 0, &schedule->minutes);
	return why ? why : read_field(count == 3 ? parts[2] : "0", &second, 0, &schedule->seconds);
}

/* The words that stand for an expression. */
static const char *meaning_of(const char *text)
{
	static const char *const words[][2] = {
		{ "minutely", "*:*" },
		{ "hourly", "*:00" },
		{ "daily", "00:00" },
		{ "weekly", "Mon 00:00" },
		{ "monthly", "*-*-01 00:00" },
		{ "quarterly", "*-01,04,07,10-01 00:00" },
		{ "semiannually", "*-01,07-01 00:00" },
		{ "yearly", "*-01-01 00:00" },
		{ "annually", "*-01-01 00:00" },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasecmp(text, words[i][0]) == 0)
			return words[i][1];
	return text;
}

/* Is there such a day in any year? */
static bool can_come(const struct schedule *schedule)
{
	static const unsigned lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	for (unsigned m = month.min; m <= month.max; m++)
		for (unsigned d = day.min; has_bit(&schedule->months, m) && d <= lengths[m - 1]; d++)
			if (has_bit(&schedule->days, d))
				return true;
	return false;
}

const char *schedule_parse(const char *text, struct schedule *ret_schedule)
{
	struct schedule schedule = { 0 };
	char copy[256], *words[WORDS_MAX];
	char date[] = "*-*-*", midnight[] = "0:0";
	size_t count, at = 0;
	const char *why = NULL;

	if (!text_copy(copy, sizeof copy, meaning_of(text)))
		return "must not be longer than 255 bytes";
	count = split(copy, ' ', words, WORDS_MAX);
	if (count > WORDS_MAX)
		return rule;
	if (strpbrk(words[0], ":-"))
		schedule.weekdays = 0x7f;
	else
		why = read_weekdays(words[at++], &schedule);
	if (why && count == 1)
		return rule;
	if (!why)
		why = read_date(at < count && strchr(words[at], '-') ? words[at++] : date, &schedule);
	if (!why)
		why = read_time(at < count && strchr(words[at], ':') ? words[at++] : midnight, &schedule);
	if (why || at < count)
		return why ? why : rule;
	if (!can_come(&schedule))
		return "must be on a day that there is";
	*ret_schedule = schedule;
	return NULL;
}

/* ---- the clock ---- */

static bool date_matches(const struct schedule *schedule, const struct tm *tm)
{
	int number = tm->tm_year + 1900;

	return number >= SCHEDULE_YEAR_MIN && number <= SCHEDULE_YEAR_MAX &&
	       has_bit(schedule->years, (unsigned)number - SCHEDULE_YEAR_MIN) &&
	       has_bit(&schedule->months, (unsigned)tm->tm_mon + 1) &&
	       has_bit(&schedule->days, (unsigned)tm->tm_mday) && has_bit(&schedule->weekdays, (unsigned)tm->tm_wday);
}

static bool hour_matches(const struct schedule *schedule, const struct tm *tm)
{
	return date_matches(schedule, tm) && has_bit(&schedule->hours, (unsigned)tm->tm_hour);
}

static bool minute_matches(const struct schedule *schedule, const struct tm *tm)
{
	return hour_matches(schedule, tm) && has_bit(&schedule->minutes, (unsigned)tm->tm_min);
}

static bool second_matches(const struct schedule *schedule, const struct tm *tm)
{
	/* A leap second counts as the one before it. */
	return minute_matches(schedule, tm) &&
	       has_bit(&schedule->seconds, (unsigned)(tm->tm_sec < MINUTE ? tm->tm_sec : MINUTE - 1));
}

static bool local(int64_t moment, struct tm *ret_tm)
{
	time_t t = (time_t)moment;

	return localtime_r(&t, ret_tm);
}

/*
 * Was the clock set forward (*ret_ahead > 0) so shortly before that what it jumped over would be now, or back, so
 * that what it shows comes for the second time?
 */
static bool is_behind_change(int64_t moment, const struct tm *tm, long *ret_ahead)
{
	struct tm before, same;

	if (!local(moment - CLOCK_CHANGE_MAX, &before) || before.tm_gmtoff == tm->tm_gmtoff)
		return false;
	*ret_ahead = tm->tm_gmtoff - before.tm_gmtoff;
	return local(moment - labs(*ret_ahead), &same) && same.tm_gmtoff == before.tm_gmtoff;
}

/* What a clock that was not changed would show. */
static bool unchanged(int64_t moment, long ahead, struct tm *ret_tm)
{
	struct tm now;
	time_t shown;

	if (!local(moment, &now))
		return false;
	shown = (time_t)moment + now.tm_gmtoff - ahead;
	return gmtime_r(&shown, ret_tm);
}

/* How far back the next second is that may match: @moment itself does not. */
static int64_t step_back(const struct schedule *schedule, const struct tm *tm)
{
	int64_t of_day = tm->tm_hour * HOUR + tm->tm_min * MINUTE + tm->tm_sec;

	/* Not to midnight at once: the clock may have been changed in between. */
	if (!date_matches(schedule, tm) && of_day > CLOCK_CHANGE_MAX + HOUR)
		return of_day - CLOCK_CHANGE_MAX;
	if (!hour_matches(schedule, tm))
		return tm->tm_min * MINUTE + tm->tm_sec + 1;
	return minute_matches(schedule, tm) ? 1 : tm->tm_sec + 1;
}

bool schedule_last(const struct schedule *schedule, int64_t since, int64_t now, int64_t *ret_moment)
{
	const bool every_hour = schedule->hours == (UINT64_C(1) << 24) - 1;
	struct tm tm, other;
	int64_t step;

	for (int64_t moment = now; moment > since && moment >= 0; moment -= step) {
		long ahead = 0;
		bool changed, matches;

		if (!local(moment, &tm))
			return false;
		changed = is_behind_change(moment, &tm, &ahead);
		matches = second_matches(schedule, &tm) && (!changed || ahead > 0 || every_hour);
		step = step_back(schedule, &tm);
		if (changed && ahead > 0) {
			if (!unchanged(moment, ahead, &other))
				return false;
			matches = matches || second_matches(schedule, &other);
			step = minute_matches(schedule, &tm) || minute_matches(schedule, &other) ? 1 : tm.tm_sec + 1;
		}
		if (!matches)
			continue;
		*ret_moment = moment;
		return true;
	}
	return false;
}

bool schedule_is_due(const struct schedule *schedule, int64_t last, int64_t now)
{
	int64_t moment;

	return schedule_last(schedule, last, now, &moment);
}
