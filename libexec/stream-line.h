/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of a plan: words with single spaces between them, odd bytes as a backslash and three octal digits. */
#pragma once

#include "util/text.h"

struct stream_line {
	char *text;
	size_t size;
	char *rest;                   /* what stream_line_next() goes on with; NULL behind the last word */
};

#define CLEANUP_STREAM_LINE CLEANUP(stream_line_free)

/* 1 with a line, 0 at the end, -EINVAL for one without an end. */
int stream_line_read(struct stream_line *line, FILE *file);

/* The next word without its escapes; NULL where there is none, or it is written wrong. Good until the next line. */
const char *stream_line_next(struct stream_line *line);

void stream_line_free(struct stream_line *line);
