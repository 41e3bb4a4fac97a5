/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names in a directory in the order of their bytes, in bounded memory however many there are. */
#pragma once

#include "util/text.h"

struct stream_names {
	DIR *dir;
	struct buffer text;           /* some of the names, each with its NUL; */
	size_t *offsets;              /* where they begin, in order */
	size_t count, capacity, next;
	size_t at_once;               /* how many of them are kept; a test may choose fewer */
	char *last;                   /* the last one of those before, NULL: there are none before */
	bool more;                    /* there are names behind them */
};

#define STREAM_NAMES_EMPTY { 0 }
#define CLEANUP_STREAM_NAMES CLEANUP(stream_names_close)

/* The directory must not change meanwhile. 0 or a negative errno. */
int stream_names_open(int dir_fd, struct stream_names *ret_names);

/* 1 with a name, which is good until the next call; 0 behind the last; or a negative errno. */
int stream_names_next(struct stream_names *names, const char **ret_name);

void stream_names_close(struct stream_names *names);
