/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../adapters/rights.h"
#include "entries.h"

int lb_backup_list(struct lb_context *ctx, const char *container, lb_backup_fn fn, void *userdata)
{
	CLEANUP_RESTIC struct restic restic = { 0 };
	CLEANUP_BACKUP_ENTRIES struct backup_entries entries = { 0 };
	int r = container ? lb_name_check(ctx, container) : 0;

	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = restic_open(ctx, &restic);
	if (r == 0)
		r = backup_entries_load(ctx, &restic, container, &entries);
	if (r < 0)
		return r;
	for (size_t i = 0; i < entries.count; i++) {
		const struct backup_entry *entry = &entries.items[i];
		const struct lb_backup backup = { .size = sizeof backup,
						  .container = entry->container,
						  .id = entry->id,
						  .base = entry->base,
						  .host = entry->host,
						  .created = entry->created,
						  .with_base = entry->with_base };

		fn(&backup, userdata);
	}
	return 0;
}
