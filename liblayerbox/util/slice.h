/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A piece of somebody else's text, without a copy: valid as long as that is. Zero-initialised it is empty. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *data;             /* not terminated; NULL only where there is none */
	size_t length;
};

static inline struct slice slice_of(const char *s)
{
	return (struct slice){ .data = s, .length = strlen(s) };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool slice_is(struct slice slice, const char *s)
{
	return slice_equal(slice, slice_of(s));
}

/* As strcmp(3) does. */
static inline int slice_compare(struct slice a, struct slice b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = shorter ? memcmp(a.data, b.data, shorter) : 0;

	return order ? order : (a.length > b.length) - (a.length < b.length);
}

/* The first @length bytes, and what is left without them. */
static inline struct slice slice_head(struct slice slice, size_t length)
{
	return (struct slice){ .data = slice.data, .length = length };
}

static inline struct slice slice_tail(struct slice slice, size_t length)
{
	return (struct slice){ .data = slice.data ? slice.data + length : NULL, .length = slice.length - length };
}

/* How many bytes stand before the first @c; all of them where there is none. */
static inline size_t slice_until(struct slice slice, char c)
{
	const char *found = slice.length ? memchr(slice.data, c, slice.length) : NULL;

	return found ? (size_t)(found - slice.data) : slice.length;
}

static inline bool slice_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Without white space at both ends. */
static inline struct slice slice_trim(struct slice slice)
{
	while (slice.length && slice_is_space(slice.data[0]))
		slice = slice_tail(slice, 1);
	while (slice.length && slice_is_space(slice.data[slice.length - 1]))
		slice.length--;
	return slice;
}

/*
 * Cuts off what stands before the next @separator, and the separator itself; false where nothing is left:
 *
 *     while (slice_cut(&rest, ':', &part))
 */
static inline bool slice_cut(struct slice *rest, char separator, struct slice *ret_part)
{
	size_t length = slice_until(*rest, separator);

	if (rest->length == 0)
		return false;
	*ret_part = slice_head(*rest, length);
	*rest = slice_tail(*rest, length < rest->length ? length + 1 : length);
	return true;
}

/* The same, trimmed. */
static inline bool slice_split(struct slice *rest, char separator, struct slice *ret_part)
{
	if (!slice_cut(rest, separator, ret_part))
		return false;
	*ret_part = slice_trim(*ret_part);
	return true;
}

/* text_to_number() of it. */
bool slice_to_number(struct slice slice, uint64_t min, uint64_t max, uint64_t *ret_number);

/* For printf(3): "%.*s" with SLICE_ARGS(slice). */
#define SLICE_ARGS(slice) (int)(slice).length, (slice).data ? (slice).data : ""
