/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "moment.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool read_date(const char *text, int64_t *ret_moment)
{
	struct tm tm = { .tm_isdst = -1 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	int day = tm.tm_mday;
	time_t moment;

	if (end && *end == 'T')
		end = strptime(end + 1, "%H:%M", &tm);
	if (!end || *end)
		return false;
	moment = mktime(&tm);
	*ret_moment = moment;
	return moment != (time_t)-1 && tm.tm_mday == day;
}

static bool read_span(const char *text, int direction, int64_t *ret_moment)
{
	static const char units[] = "smhdw";
	static const unsigned seconds[] = { 1, 60, 60 * 60, 24 * 60 * 60, 7 * 24 * 60 * 60 };
	size_t n = strspn(text, "0123456789");
	const char *unit = n && text[n] ? strchr(units, text[n]) : NULL;

	if (!unit || text[n + 1] || n > 6)
		return false;
	*ret_moment = (int64_t)time(NULL) + direction * (int64_t)strtoul(text, NULL, 10) * seconds[unit - units];
	return true;
}

bool moment_read(const char *text, int direction, int64_t *ret_moment)
{
	return read_span(text, direction, ret_moment) || read_date(text, ret_moment);
}
