/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An event as a line of JSON, as ROOT/logs/events.log has them. */
#pragma once

#include "../layerbox.h"

enum { EVENT_LINE_MAX = 4096 };

/*
 * The line, with its newline: never more than EVENT_LINE_MAX bytes, for which a long message is cut. The caller's,
 * NULL without memory.
 */
char *event_line_write(const struct lb_event *event);

/* What was read of a line, and what its strings belong to. */
struct event_line {
	struct lb_event event;
	void *object;
};

/* Reads a line, with or without its newline; false, and nothing to free, where it is no event. */
bool event_line_read(const char *line, struct event_line *ret_line);
void event_line_free(struct event_line *line);

/* Microseconds since the epoch as "2026-11-21T20:11:05.000123Z", and back: -1 where it is none. */
enum { EVENT_TIME_SIZE = 32 };
void event_time_write(int64_t time, char ret_text[EVENT_TIME_SIZE]);
int64_t event_time_read(const char *text);
