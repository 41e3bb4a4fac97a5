/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keep.h"

#include <time.h>

#include "../util/text.h"

enum { COUNT_MAX = 100000, HOUR = 3600, DAY = 24 * HOUR, MONDAY_OFFSET = 3 /* 1970-01-01 was a Thursday */ };

/* ---- reading ---- */

static unsigned *member_of(struct keep_policy *policy, char unit)
{
	switch (unit) {
	case '\0':
		return &policy->newest;
	case 'h':
		return &policy->hours;
	case 'd':
		return &policy->days;
	case 'w':
		return &policy->weeks;
	case 'm':
		return &policy->months;
	case 'y':
		return &policy->years;
	default:
		return NULL;
	}
}

/* 7d, or a number alone; each unit once. */
static bool read_item(char *item, struct keep_policy *policy)
{
	size_t n = strspn(item, "0123456789");
	unsigned *member = item[n] && item[n + 1] ? NULL : member_of(policy, item[n]);
	uint64_t number;

	item[n] = '\0';
	if (!member || *member || !text_to_number(item, 1, COUNT_MAX, &number))
		return false;
	*member = (unsigned)number;
	return true;
}

const char *keep_parse(const char *text, struct keep_policy *ret_policy)
{
	static const char rule[] = "must be none, or how many are kept: hours, days, weeks, months, years as in "
				   "24h,7d,4w,12m,2y, or a number of the newest; each once, from 1";
	struct keep_policy policy = { 0 };
	char copy[128];
	char *rest = copy;

	if (!*text || text_equal(text, "none")) {
		*ret_policy = policy;
		return NULL;
	}
	if (!text_copy(copy, sizeof copy, text))
		return rule;
	while (rest) {
		char *item = rest, *comma = strchr(rest, ',');

		rest = comma ? comma + 1 : NULL;
		if (comma)
			*comma = '\0';
		if (!read_item(item + strspn(item, " "), &policy))
			return rule;
	}
	*ret_policy = policy;
	return NULL;
}

/* ---- which ---- */

enum unit { UNIT_EACH, UNIT_HOUR, UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_YEAR, UNITS };

/* Rounds down, also what is before the epoch. */
static int64_t divided(int64_t number, int64_t by)
{
	return number >= 0 ? number / by : -((-number + by - 1) / by);
}

/* The number of the hour, day ... that a moment lies in. Hours count on when the clock is changed. */
static int64_t period_of(int64_t moment, enum unit unit)
{
	struct tm tm = { 0 };
	time_t t = (time_t)moment;
	int64_t day;

	localtime_r(&t, &tm);
	day = divided(moment + tm.tm_gmtoff, DAY);
	switch (unit) {
	case UNIT_HOUR:
		return divided(moment + tm.tm_gmtoff % HOUR, HOUR);
	case UNIT_DAY:
		return day;
	case UNIT_WEEK:
		return divided(day + MONDAY_OFFSET, 7);
	case UNIT_MONTH:
		return (int64_t)tm.tm_year * 12 + tm.tm_mon;
	case UNIT_YEAR:
		return tm.tm_year;
	default:
		return 0;
	}
}

static void keep_of_unit(enum unit unit, unsigned wanted, const int64_t *times, size_t count, bool *kept)
{
	int64_t last = 0;
	bool any = false;

	for (size_t i = count; wanted && i-- > 0;) {
		int64_t period = period_of(times[i], unit);

		if (any && unit != UNIT_EACH && period == last)
			continue;
		any = true;
		last = period;
		kept[i] = true;
		wanted--;
	}
}

void keep_select(const struct keep_policy *policy, const int64_t *times, size_t count, int64_t now, bool *ret_kept)
{
	const unsigned wanted[UNITS] = { policy->newest, policy->hours,  policy->days,
					 policy->weeks,  policy->months, policy->years };
	bool all = true;

	for (size_t i = 0; i < UNITS; i++)
		all = all && wanted[i] == 0;
	for (size_t i = 0; i < count; i++)
		ret_kept[i] = all || times[i] > now;
	while (count && times[count - 1] > now)
		count--;
	for (size_t i = 0; i < UNITS; i++)
		keep_of_unit((enum unit)i, wanted[i], times, count, ret_kept);
}
