/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stanza.h"

#include <errno.h>
#include <strings.h>

bool stanza_next(const char **cursor, struct slice *ret_stanza)
{
	const char *begin = *cursor + strspn(*cursor, "\n"), *end = begin;

	if (!*begin)
		return false;
	/* Line by line, which is faster than strstr(3). */
	while (*end && *end != '\n') {
		end = strchrnul(end, '\n');
		end += *end == '\n';
	}
	*ret_stanza = (struct slice){ .data = begin, .length = (size_t)(end - begin) };
	*cursor = end;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The line with its newline; empty where none ends it. */
static struct slice first_line(struct slice text)
{
	size_t length = slice_until(text, '\n');

	return slice_head(text, length < text.length ? length + 1 : 0);
}

/* How long the name before the colon is; 0 where the line does not begin with one. */
static size_t name_length(struct slice line)
{
	size_t length = 0;

	while (length < line.length && line.data[length] > ' ' && line.data[length] < 0x7f && line.data[length] != ':')
		length++;
	return length < line.length && line.data[length] == ':' && line.data[0] != '#' ? length : 0;
}

int stanza_field_next(struct slice *rest, struct stanza_field *ret_field)
{
	struct slice line = first_line(*rest), left = slice_tail(*rest, line.length), value;
	size_t length = name_length(line);

	if (rest->length == 0)
		return 0;
	if (length == 0)
		return -EINVAL;
	value = slice_tail(line, length + 1);
	while (left.length && is_blank(left.data[0])) {
		struct slice more = first_line(left);

		if (slice_trim(more).length == 0)
			return -EINVAL;
		value.length += more.length;
		left = slice_tail(left, more.length);
	}
	*ret_field = (struct stanza_field){ .name = slice_head(line, length), .value = value };
	/* Not all white space in front: a list that begins in the next line keeps its form. */
	while (ret_field->value.length && is_blank(ret_field->value.data[0]))
		ret_field->value = slice_tail(ret_field->value, 1);
	while (ret_field->value.length && slice_is_space(ret_field->value.data[ret_field->value.length - 1]))
		ret_field->value.length--;
	*rest = left;
	return 1;
}

bool stanza_field_is(const struct stanza_field *field, const char *name)
{
	/* The first letter tells most of them apart. */
	return ((field->name.data[0] ^ name[0]) & ~0x20) == 0 &&
	       strncasecmp(field->name.data, name, field->name.length) == 0 && !name[field->name.length];
}

struct slice stanza_get(struct slice stanza, const char *name)
{
	struct stanza_field field;

	while (stanza_field_next(&stanza, &field) > 0)
		if (stanza_field_is(&field, name))
			return field.value;
	return (struct slice){ 0 };
}

size_t stanza_line(const char *text, const char *at)
{
	size_t line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}
