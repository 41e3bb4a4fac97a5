/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the tool shows things: rows of named values, from one description, as a table for people (libsmartcols),
 * as `Name: value` lines, or as JSON (jansson). Text that comes from inside containers is made printable.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct column {
	const char *key;              /* in JSON, and of the value in a row */
	const char *heading;          /* in tables; NULL: in JSON only */
	bool right;                   /* numbers */
};

/* Prints an array of objects as a table with these columns, or as JSON. */
void show_rows(const json_t *rows, const struct column *columns, bool as_json);

/* The table for a screen of that width; the caller's, NULL without memory. */
char *rows_to_text(const json_t *rows, const struct column *columns, size_t width);

/* Prints one object as aligned lines, or as JSON. */
void show_object(const json_t *object, const struct column *columns, bool as_json);

/* Seconds since the epoch as "2026-11-21 08:00", bytes as "216 MiB"; new JSON strings. */
json_t *json_time(int64_t seconds);
json_t *json_size(uint64_t bytes);

/*
 * A path may hold any byte: what is no printable UTF-8, and the backslash, is shown as a backslash and three octal
 * digits. The caller's; NULL without memory.
 */
char *text_shown(const char *path);

/* The same as a JSON string; null for NULL. */
json_t *json_text(const char *text);
