/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two trees compared by everything a program can see of them, but for inode numbers and counts of links. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Times before this were set by somebody, 2001-09-09; later ones come from the clock, at two moments for two trees. */
enum { TIME_OF_CLOCK = 1000000000 };

/*
 * The number of differences; the first few are printed to stderr. @all_times: also those that are the clock's.
 * @except: paths that do not matter, NULL-terminated; NULL for none.
 */
size_t trees_compare(int a_fd, int b_fd, bool all_times, const char *const *except);
