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

const char *stream_line_next(struct stream_line *line)
{
	char *word = line->rest, *space = word ? strchr(word, ' ') : NULL;

	if (space)
		*space = '\0';
	line->rest = space ? space + 1 : NULL;
	return word && *word && text_unescape(word) ? word : NULL;
}

void stream_line_free(struct stream_line *line)
{
	free(line->text);
}
