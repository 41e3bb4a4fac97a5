/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-line.h"

int stream_line_read(struct stream_line *line, FILE *file)
{
	ssize_t n = getline(&line->text, &line->size, file);

	if (n < 0)
		return 0;
	if (line->text[n - 1] != '\n' || strlen(line->text) != (size_t)n)
		return -EINVAL;
	line->text[n - 1] = '\0';
	line->rest = line->text;
	return 1;
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

static bool unescape(char *s)
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

const char *stream_line_next(struct stream_line *line)
{
	char *word = line->rest, *space = word ? strchr(word, ' ') : NULL;

	if (space)
		*space = '\0';
	line->rest = space ? space + 1 : NULL;
	return word && *word && unescape(word) ? word : NULL;
}

void stream_line_free(struct stream_line *line)
{
	free(line->text);
}
