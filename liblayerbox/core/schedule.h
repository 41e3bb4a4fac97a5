/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When something is to be done again and again, written as systemd.time(7) writes calendar events: daily, *:0/15,
 * Mon..Fri 22:30, *-*-01 04:00. By the local clock. Pure, but for what the time zone is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { SCHEDULE_YEAR_MIN = 1970, SCHEDULE_YEAR_MAX = 2199 };

/* A bit for each value that matches; all of them have to. */
struct schedule {
	uint64_t years[4];            /* from SCHEDULE_YEAR_MIN */
	uint64_t months, days;        /* bits 1 to 12, 1 to 31 */
	uint64_t weekdays;            /* bit 0: Sunday */
	uint64_t hours, minutes, seconds;
};

/* Reads @text. NULL, or why not: "must be ...". */
const char *schedule_parse(const char *text, struct schedule *ret_schedule);

/*
 * The latest moment of it behind @since and not behind @now; false where there is none. What the clock jumps over in
 * spring comes as much later; what it shows twice in autumn comes the first time, unless it is of every hour.
 */
bool schedule_last(const struct schedule *schedule, int64_t since, int64_t now, int64_t *ret_moment);

/* Is one due, if the last was made at @last? */
bool schedule_is_due(const struct schedule *schedule, int64_t last, int64_t now);
