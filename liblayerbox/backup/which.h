/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which backup is meant: NAME, NAME@TIME or NAME@ID. Pure, but for what the time zone is. */
#pragma once

#include "entries.h"

enum { ID_LENGTH_MAX = 64 };

struct backup_which {
	char name[NAME_LENGTH_MAX + 1];
	int64_t latest;               /* none that is younger; INT64_MAX: whenever it was made */
	char id[ID_LENGTH_MAX + 1];   /* how its identifier begins, or "" */
};

/*
 * A time is one of the local clock, as `layerbox backup list` shows it: 2026-11-21, 2026-11-21T17:22 (or with a space, or
 * with seconds); the whole of that day or minute is meant. NULL, or why not: "must be ...".
 */
const char *backup_which_parse(const char *text, struct backup_which *ret_which);

/* Of one container's, oldest first, the one that is meant; NULL, with why in *ret_why. */
const struct backup_entry *backup_which_choose(const struct backup_which *which, const struct backup_entries *entries,
					       const char *host, const char **ret_why);
