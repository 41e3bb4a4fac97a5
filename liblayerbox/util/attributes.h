/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owner, mode, extended attributes and times of files, as one thing. Those of overlayfs itself do not count. */
#pragma once

#include <stdbool.h>

#include <sys/stat.h>

/* Gives the directory @to_fd what @from_fd has, times included; for a new one, since nothing is taken away. */
int attributes_copy(int from_fd, int to_fd);

/* Have both names the same type, owner, mode and extended attributes? Links are not followed. 1, 0 or -errno. */
int attributes_equal(int a_fd, const char *a_name, int b_fd, const char *b_name);

/* Takes overlayfs's own attributes from what was moved out of an upper layer. */
int attributes_clean(int dir_fd, const char *name);
