/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strings: formatted, growing, lists of them, and numbers read strictly. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cleanup.h"
#include "slice.h"

#define PRINTF_LIKE(at, args) __attribute__((format(printf, at, args)))

static inline bool text_equal(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static inline bool text_empty(const char *s)
{
	return !s || !*s;
}

/* If @s begins with @prefix, the rest of it; else NULL. */
static inline const char *text_after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

/* asprintf(3) that returns the string, or NULL when there is no memory. */
char *text_format(const char *format, ...) PRINTF_LIKE(1, 2);

/* Copies @s into @buffer of @size bytes; false (and an empty buffer) where it does not fit. */
bool text_copy(char *buffer, size_t size, const char *s);

/* Cuts white space off both ends, in place; returns where the text now begins. */
char *text_trim(char *s);

/* FNV-1a: against accidents, not against attackers. */
uint64_t text_hash(const char *s);

/*
 * Replaces control characters, tabs and C1 among them, and what is no UTF-8 by '?' in place, so that hostile text can
 * be shown on a terminal.
 */
char *text_printable(char *s);

/* The last line of what a program printed (changed) that says anything, fit for a terminal. */
const char *text_last_line(char *output);

/* Takes a backslash and three octal digits for the byte that they are, in place; false for other ones, and for NUL. */
bool text_unescape(char *s);

/* Reads a whole decimal number between @min and @max; false for anything else, signs and spaces included. */
bool text_to_number(const char *s, uint64_t min, uint64_t max, uint64_t *ret_number);

/* The last second of the year 9999: what is later cannot be shown, and nobody means it. */
#define TIME_MAX INT64_C(253402300799)

/* Reads a moment, in seconds since the epoch, up to TIME_MAX. */
bool text_to_time(const char *s, int64_t *ret_time);

/* Reads a time: a number of seconds, or one with the unit s, m, h or d behind it; false for more than @max. */
bool text_to_seconds(const char *s, uint64_t max, uint64_t *ret_seconds);

/* yes, true, on, 1 / no, false, off, 0 */
bool text_to_bool(const char *s, bool *ret_value);

/* A string that grows. A failed allocation is kept and shows at the end: buffer_finish() returns NULL. */
struct buffer {
	char *data;
	size_t length, capacity;
	bool failed;
};

void buffer_add(struct buffer *buffer, const void *data, size_t length);
void buffer_add_slice(struct buffer *buffer, struct slice slice);
void buffer_add_text(struct buffer *buffer, const char *s);
void buffer_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
void buffer_free(struct buffer *buffer);

/* The terminated text, now the caller's; NULL when an allocation had failed. */
char *buffer_finish(struct buffer *buffer);

#define CLEANUP_BUFFER CLEANUP(buffer_free)

/* A NULL-terminated list of strings that owns them. Zero-initialise. */
struct text_list {
	char **items;
	size_t count, capacity;
};

/* Appends a copy; -ENOMEM or 0. */
int text_list_add(struct text_list *list, const char *s);
int text_list_format(struct text_list *list, const char *format, ...) PRINTF_LIKE(2, 3);
bool text_list_has(const struct text_list *list, const char *s);
void text_list_sort(struct text_list *list);

/* The same as text_list_has(), for a list that is sorted. */
bool text_list_has_sorted(const struct text_list *list, const char *s);
void text_list_free(struct text_list *list);

/* Adds every word of @s, split at spaces and tabs. */
int text_list_add_words(struct text_list *list, const char *s);

#define CLEANUP_TEXT_LIST CLEANUP(text_list_free)
