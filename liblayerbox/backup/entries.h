/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What backups there are, as the tags of restic's snapshots say it. */
#pragma once

#include "../adapters/restic.h"
#include "backup.h"

struct backup_entry {
	char container[NAME_LENGTH_MAX + 1];
	char *id, *full_id;           /* restic's: as it shows it, and all of it */
	char *host, *base;
	int64_t created;
	bool with_base;
};

struct backup_entries {
	struct backup_entry *items;
	size_t count, capacity;
};

#define CLEANUP_BACKUP_ENTRIES CLEANUP(backup_entries_free)

/* Those of one container or, with NULL, of all; by container, oldest first. */
int backup_entries_load(struct lb_context *ctx, const struct restic *restic, const char *container,
			struct backup_entries *ret_entries);
void backup_entries_free(struct backup_entries *entries);
