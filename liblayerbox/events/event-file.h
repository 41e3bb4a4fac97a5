/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ROOT/logs/events.log: lines of many writers, none of whom waits for another. Full, it becomes events.log.1, in place
 * of the one before.
 */
#pragma once

#include <stddef.h>

#define EVENT_FILE "events.log"
#define EVENT_FILE_BEFORE "events.log.1"

enum { EVENT_FILE_BYTES = 1 << 20 };

/* Appends one line to the file in the directory @logs_fd; a negative errno where it is not there afterwards. */
int event_file_append(int logs_fd, const char *line);
