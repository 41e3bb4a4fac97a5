/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deb-version.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool has_digit(struct slice s)
{
	return s.length && is_digit(s.data[0]);
}

/* How the first character is sorted where it is no digit: `~`, the end, letters, others. */
static int weight(struct slice s)
{
	unsigned char c = s.length ? (unsigned char)s.data[0] : 0;

	if (s.length == 0 || has_digit(s))
		return 0;
	if (c == '~')
		return -1;
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? c : c + 256;
}

/* Takes a number off the front, leading zeros with it; it is never converted, so none is too large. */
static struct slice take_number(struct slice *s)
{
	struct slice number;
	size_t digits = 0;

	while (s->length && s->data[0] == '0')
		*s = slice_tail(*s, 1);
	while (digits < s->length && is_digit(s->data[digits]))
		digits++;
	number = slice_head(*s, digits);
	*s = slice_tail(*s, digits);
	return number;
}

/* Of two numbers without leading zeros the longer one is larger. */
static int compare_numbers(struct slice a, struct slice b)
{
	if (a.length != b.length)
		return a.length < b.length ? -1 : 1;
	return slice_compare(a, b);
}

/* Part by part, what is not digits and digits in turn. */
static int compare_parts(struct slice a, struct slice b)
{
	while (a.length || b.length) {
		int order;

		while ((a.length && !has_digit(a)) || (b.length && !has_digit(b))) {
			order = weight(a) - weight(b);
			if (order)
				return order;
			a = slice_tail(a, 1);
			b = slice_tail(b, 1);
		}
		order = compare_numbers(take_number(&a), take_number(&b));
		if (order)
			return order;
	}
	return 0;
}

/* Cuts `EPOCH:` off; without one it is empty, which is compared as 0. */
static struct slice take_epoch(struct slice *s)
{
	size_t length = slice_until(*s, ':');
	struct slice epoch = { 0 };

	if (length < s->length) {
		epoch = slice_head(*s, length);
		*s = slice_tail(*s, length + 1);
	}
	return epoch;
}

/* Cuts `-REVISION` off the end; without one it is empty, which is compared as 0. */
static struct slice take_revision(struct slice *s)
{
	const char *dash = s->length ? memrchr(s->data, '-', s->length) : NULL;
	struct slice revision = { 0 };

	if (dash) {
		size_t length = (size_t)(dash - s->data);

		revision = slice_tail(*s, length + 1);
		s->length = length;
	}
	return revision;
}

int deb_version_compare_slices(struct slice a, struct slice b)
{
	struct slice revision_a, revision_b;
	int order = compare_parts(take_epoch(&a), take_epoch(&b));

	if (order)
		return order;
	revision_a = take_revision(&a);
	revision_b = take_revision(&b);
	order = compare_parts(a, b);
	return order ? order : compare_parts(revision_a, revision_b);
}

int deb_version_compare(const char *a, const char *b)
{
	return deb_version_compare_slices(slice_of(a), slice_of(b));
}
