/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moments as people give them to options. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads a span from now on, such as 30d (s, m, h, d, w), forward where @direction is 1, back where it is -1; or
 * 2026-12-31 or 2026-12-31T18:00 in local time. Seconds since the epoch; false for anything else.
 */
bool moment_read(const char *text, int direction, int64_t *ret_moment);
