/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "array.h"
#include "utf8.h"

char *text_format(const char *format, ...)
{
	char *s;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&s, format, args);
	va_end(args);
	return n < 0 ? NULL : s;
}

bool text_copy(char *buffer, size_t size, const char *s)
{
	size_t n = strlen(s);

	buffer[0] = '\0';
	if (n >= size)
		return false;
	memcpy(buffer, s, n + 1);
	return true;
}

char *text_trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return s;
}

uint64_t text_hash(const char *s)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *s; s++)
		hash = (hash ^ (unsigned char)*s) * 0x100000001b3ULL;
	return hash;
}

char *text_printable(char *s)
{
	for (char *p = s; *p;) {
		size_t n = utf8_character(p);

		if (n == 0)
			*p = '?';
		p += n ? n : 1;
	}
	return s;
}

/* One byte from the three octal digits behind a backslash; 0 where they are none, or the byte is NUL. */
static char octal_byte(const char *digits)
{
	unsigned value = 0;

	for (int i = 0; i < 3; i++) {
		if (digits[i] < '0' || digits[i] > '7')
			return 0;
		value = value * 8 + (unsigned)(digits[i] - '0');
	}
	return value < 256 ? (char)value : 0;
}

bool text_unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		*to = *s;
		if (*s == '\\') {
			*to = octal_byte(s + 1);
			if (!*to)
				return false;
			s += 3;
		}
		to++;
	}
	*to = '\0';
	return true;
}

bool text_to_number(const char *s, uint64_t min, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		uint64_t digit = (uint64_t)(*s - '0');

		if (*s < '0' || *s > '9')
			return false;
		if (__builtin_mul_overflow(number, 10U, &number) || __builtin_add_overflow(number, digit, &number))
			return false;
	}
	if (number < min || number > max)
		return false;
	*ret_number = number;
	return true;
}

const char *text_last_line(char *output)
{
	char *text = text_trim(output), *newline = strrchr(text, '\n');

	return text_printable(newline ? newline + 1 : text);
}

bool text_to_seconds(const char *s, uint64_t max, uint64_t *ret_seconds)
{
	static const char units[] = "smhd";
	static const uint64_t seconds[] = { 1, 60, 60 * 60, 24 * 60 * 60 };
	size_t n = strlen(s);
	const char *unit = n ? strchr(units, s[n - 1]) : NULL;
	uint64_t each = unit ? seconds[unit - units] : 1, number;
	char digits[24];

	n -= unit != NULL;
	if (n >= sizeof digits)
		return false;
	memcpy(digits, s, n);
	digits[n] = '\0';
	if (!text_to_number(digits, 0, max / each, &number))
		return false;
	*ret_seconds = number * each;
	return true;
}

bool text_to_time(const char *s, int64_t *ret_time)
{
	uint64_t seconds;

	if (!text_to_number(s, 0, TIME_MAX, &seconds))
		return false;
	*ret_time = (int64_t)seconds;
	return true;
}

bool text_to_bool(const char *s, bool *ret_value)
{
	static const char *const yes[] = { "yes", "true", "on", "1" }, *const no[] = { "no", "false", "off", "0" };

	for (size_t i = 0; i < 4; i++) {
		if (text_equal(s, yes[i]) || text_equal(s, no[i])) {
			*ret_value = text_equal(s, yes[i]);
			return true;
		}
	}
	return false;
}

static bool buffer_reserve(struct buffer *buffer, size_t more)
{
	size_t need = buffer->length + more + 1, capacity = buffer->capacity ? buffer->capacity : 256;
	char *data;

	if (buffer->failed)
		return false;
	if (need <= buffer->capacity)
		return true;
	while (capacity < need)
		capacity *= 2;
	data = realloc(buffer->data, capacity);
	if (!data) {
		buffer->failed = true;
		return false;
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

void buffer_add(struct buffer *buffer, const void *data, size_t length)
{
	if (!buffer_reserve(buffer, length))
		return;
	if (length)
		memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
}

void buffer_add_slice(struct buffer *buffer, struct slice slice)
{
	buffer_add(buffer, slice.data, slice.length);
}

void buffer_add_text(struct buffer *buffer, const char *s)
{
	buffer_add(buffer, s, strlen(s));
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	char *s;
	int n;

	va_start(args, format);
	n = vasprintf(&s, format, args);
	va_end(args);
	if (n < 0) {
		buffer->failed = true;
		return;
	}
	buffer_add(buffer, s, (size_t)n);
	free(s);
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){ 0 };
}

char *buffer_finish(struct buffer *buffer)
{
	char *data = NULL;

	buffer_add(buffer, "", 0);
	if (buffer->failed)
		buffer_free(buffer);
	else
		data = buffer->data;
	*buffer = (struct buffer){ 0 };
	return data;
}

static int text_list_take(struct text_list *list, char *s)
{
	char **items = s ? array_grow(list->items, list->count + 1, &list->capacity, sizeof *items) : NULL;

	if (!items) {
		free(s);
		return -ENOMEM;
	}
	list->items = items;
	list->items[list->count++] = s;
	list->items[list->count] = NULL;
	return 0;
}

int text_list_add(struct text_list *list, const char *s)
{
	return text_list_take(list, strdup(s));
}

int text_list_format(struct text_list *list, const char *format, ...)
{
	va_list args;
	char *s;
	int n;

	va_start(args, format);
	n = vasprintf(&s, format, args);
	va_end(args);
	return text_list_take(list, n < 0 ? NULL : s);
}

bool text_list_has(const struct text_list *list, const char *s)
{
	for (size_t i = 0; i < list->count; i++)
		if (text_equal(list->items[i], s))
			return true;
	return false;
}

static int compare_items(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void text_list_sort(struct text_list *list)
{
	if (list->count > 1)
		qsort(list->items, list->count, sizeof *list->items, compare_items);
}

bool text_list_has_sorted(const struct text_list *list, const char *s)
{
	return list->count && bsearch(&s, list->items, list->count, sizeof *list->items, compare_items);
}

void text_list_free(struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct text_list){ 0 };
}

int text_list_add_words(struct text_list *list, const char *s)
{
	static const char space[] = " \t";

	for (s += strspn(s, space); *s; s += strspn(s, space)) {
		size_t n = strcspn(s, space);
		int r = text_list_take(list, strndup(s, n));

		if (r < 0)
			return r;
		s += n;
	}
	return 0;
}
