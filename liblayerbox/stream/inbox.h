/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a stream is unpacked: containers/.new-import.RANDOM, locked by whoever reads it, so that the next command's
 * sweep takes away what a killed one left. On the file system of the root, so that all of it can be renamed to its
 * place.
 */
#pragma once

#include "../core/context.h"

struct inbox {
	struct lb_context *ctx;
	int parent_fd;
	int fd;                       /* with a flock(2) on it */
	char name[64];
	char *path;
};

#define INBOX_EMPTY { .parent_fd = -1, .fd = -1 }
#define CLEANUP_INBOX CLEANUP(inbox_end)

int inbox_begin(struct lb_context *ctx, struct inbox *ret_inbox);

/* Removes what is still in it; allowed at any time. */
void inbox_end(struct inbox *inbox);

/* Reads a small member, which must be text. */
int inbox_read(const struct inbox *inbox, const char *member, size_t max, char **ret_text);
