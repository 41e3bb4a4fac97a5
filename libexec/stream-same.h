/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is an entry of one layer still what another layer has at the same path? */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

struct live_states;

/*
 * One inode is the same, and so is what @states (of the other layer; may be NULL) know for @path to be as it was when
 * it was copied. Else all that is kept about both must be equal, and it must not be a file. What a directory holds does
 * not count. 1, 0 or a negative errno.
 */
int stream_same(int dir_fd, int from_fd, const char *name, const struct stat *st, const char *path,
		const struct live_states *states);
