/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines out of a stream of bytes that come in pieces, and may be hostile: none is longer than told. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Receives a line without its newline, which it may change; valid during the call only. */
typedef void (*lines_fn)(char *line, void *userdata);

struct lines {
	char *line;                   /* what there is of the line that has not ended yet */
	size_t length, max;           /* what is behind @max bytes of a line is left out */
};

/* 0, or -ENOMEM. */
int lines_begin(struct lines *lines, size_t max);

/* Takes @length bytes: @fn is called for each line that ends in them. */
void lines_add(struct lines *lines, const char *data, size_t length, lines_fn fn, void *userdata);

/* There is no more: @fn is called for what has no newline behind it. */
void lines_end(struct lines *lines, lines_fn fn, void *userdata);

/* Reads all that @fd has, until its end or until it would block: 0 at the end, else a negative errno. */
int lines_read(struct lines *lines, int fd, lines_fn fn, void *userdata);

void lines_free(struct lines *lines);
