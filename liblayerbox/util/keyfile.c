/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keyfile.h"

#include "text.h"

/* Where the line goes on, if @s is at a backslash that ends it; also for files from other systems. */
static const char *after_continuation(const char *s)
{
	const char *next = text_after(s, "\\\n");

	return next ? next : text_after(s, "\\\r\n");
}

/* Cuts the next logical line out of *@cursor, continuation lines joined with a space in place. */
static char *next_line(char **cursor, unsigned *line_number, unsigned *ret_first_line)
{
	char *line = *cursor, *write, *read;
	bool remark = line[strspn(line, " \t")] == '#';

	if (!*line)
		return NULL;
	*ret_first_line = ++*line_number;
	for (read = write = line; *read && *read != '\n';) {
		const char *next = remark ? NULL : after_continuation(read);

		if (next) {
			*write++ = ' ';
			read += next - read;
			++*line_number;
			continue;
		}
		*write++ = *read++;
	}
	*cursor = *read ? read + 1 : read;
	*write = '\0';
	return line;
}

int keyfile_parse(char *text, const char *file, keyfile_fn fn, void *userdata, char *error, size_t error_size)
{
	unsigned line_number = 0, first;
	char *line;

	while ((line = next_line(&text, &line_number, &first))) {
		char *key = text_trim(line), *value;
		const char *why;

		if (*key == '\0' || *key == '#')
			continue;
		value = strchr(key, '=');
		if (!value || value == key) {
			snprintf(error, error_size, "%s:%u: expected `key = value`, found \"%.60s\"", file, first,
				 text_printable(key));
			return -EINVAL;
		}
		*value++ = '\0';
		key = text_trim(key);
		value = text_trim(value);
		why = fn(key, value, userdata);
		if (why) {
			snprintf(error, error_size, "%s:%u: %.60s %s", file, first, text_printable(key), why);
			return -EINVAL;
		}
	}
	return 0;
}

const char *keyfile_take(char **member, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return "could not be kept: out of memory";
	free(*member);
	*member = copy;
	return NULL;
}
