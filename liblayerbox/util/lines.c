/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lines.h"

#include <string.h>

#include "cleanup.h"

int lines_begin(struct lines *lines, size_t max)
{
	*lines = (struct lines){ .line = malloc(max + 1), .max = max };
	return lines->line ? 0 : -ENOMEM;
}

static void tell(struct lines *lines, lines_fn fn, void *userdata)
{
	lines->line[lines->length] = '\0';
	lines->length = 0;
	fn(lines->line, userdata);
}

void lines_add(struct lines *lines, const char *data, size_t length, lines_fn fn, void *userdata)
{
	while (length) {
		const char *newline = memchr(data, '\n', length);
		const size_t n = newline ? (size_t)(newline - data) : length, room = lines->max - lines->length;
		const size_t taken = n < room ? n : room;

		memcpy(lines->line + lines->length, data, taken);
		lines->length += taken;
		if (newline)
			tell(lines, fn, userdata);
		data += n + (newline != NULL);
		length -= n + (newline != NULL);
	}
}

void lines_end(struct lines *lines, lines_fn fn, void *userdata)
{
	if (lines->length)
		tell(lines, fn, userdata);
}

int lines_read(struct lines *lines, int fd, lines_fn fn, void *userdata)
{
	char data[16384];

	for (;;) {
		ssize_t n = read(fd, data, sizeof data);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		lines_add(lines, data, (size_t)n, fn, userdata);
	}
}

void lines_free(struct lines *lines)
{
	free(lines->line);
	*lines = (struct lines){ 0 };
}
