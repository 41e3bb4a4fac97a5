/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An entry of a tree as a member's header. */
#pragma once

#include <sys/stat.h>

#include "stream-error.h"

struct archive_entry;

/*
 * Fills @entry, which is clear, for what @st says of @name below @dir_fd. @member is its name in the stream; @fd: of a
 * file or directory, open for reading, -1 for what cannot be opened.
 */
int stream_entry_fill(struct archive_entry *entry, const char *member, int dir_fd, const char *name, int fd,
		      const struct stat *st, struct stream_error *error);
