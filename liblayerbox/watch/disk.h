/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How full the file system of the root is, and when that is told. */
#pragma once

#include "../core/context.h"

/* In per cent of what others than root can have, rounded up, as df(1) shows it; 0 where it cannot be told. */
struct disk_usage {
	unsigned space, inodes;
};

void disk_look(const char *path, struct disk_usage *ret_usage);

enum { DISK_SAY_FULL = 1, DISK_SAY_OK = 2 };

/*
 * Is there something to tell, where @told is what was told before? Neither is told twice; it is in order again only two
 * per cent below the limit. Pure.
 */
unsigned disk_next(const struct disk_usage *usage, unsigned limit_percent, bool told);
