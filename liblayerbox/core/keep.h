/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of many copies are kept: 24h,7d,4w,12m,2y. Pure, but for what the time zone is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of so many of the last hours, days ... that have one, the newest; all 0: everything is kept. */
struct keep_policy {
	unsigned newest;              /* so many of the newest, whenever they were made */
	unsigned hours, days, weeks, months, years;
};

/* Reads @text, "" and none included. NULL, or why not: "must be ...". */
const char *keep_parse(const char *text, struct keep_policy *ret_policy);

/*
 * Sets ret_kept[i] to whether the copy of times[i] is kept; @times are in seconds since the epoch, oldest first. Hours,
 * days and so on are those of the local clock, weeks begin with Monday. What is not kept is never kept later: neither
 * newer copies nor the removal of others change that. One from after @now, made by a clock that was ahead, is kept and
 * takes no other's place.
 */
void keep_select(const struct keep_policy *policy, const int64_t *times, size_t count, int64_t now, bool *ret_kept);
