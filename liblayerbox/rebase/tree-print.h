/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a directory has still the same files in it. */
#pragma once

#include <stdint.h>

/*
 * A number made of what is in the directory @name below @dir_fd, however deep: names, inodes, types, modes, owners, and
 * sizes and times of what is no directory. 0 for an empty one. -ELOOP where it is deeper than anybody's tree.
 */
int tree_print(int dir_fd, const char *name, uint64_t *ret_print);
