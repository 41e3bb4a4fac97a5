/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container made from a backup. */
#include "../adapters/rights.h"
#include "which.h"

struct restore {
	struct lb_context *ctx;
	struct lb_import_options options;
	char *name;
};

static int read_stream(int fd, void *userdata)
{
	struct restore *restore = userdata;

	return lb_import(restore->ctx, fd, &restore->options, &restore->name);
}

static int choose(struct lb_context *ctx, const struct backup_which *which, const struct backup_entries *entries,
		  const struct backup_entry **ret_entry)
{
	const char *why = "";
	char host[HOST_SIZE];
	int r = backup_host(ctx, host);

	if (r < 0)
		return r;
	*ret_entry = backup_which_choose(which, entries, host, &why);
	if (*ret_entry)
		return 0;
	return fail(ctx, -LB_ERR_NO_SNAPSHOT, "cannot restore container '%s': %s; `layerbox backup list` shows what there is",
		    which->name, why);
}

int lb_backup_restore(struct lb_context *ctx, const char *what, const char *as, bool allow_privileged, char **ret_name)
{
	CLEANUP_RESTIC struct restic restic = { 0 };
	CLEANUP_BACKUP_ENTRIES struct backup_entries entries = { 0 };
	CLEANUP_FREE char *file = NULL;
	const struct backup_entry *entry = NULL;
	struct restore restore = { .ctx = ctx };
	struct backup_which which;
	const char *why = backup_which_parse(what, &which);
	int r = why ? fail(ctx, -LB_ERR_BAD_VALUE, "\"%s\" %s", what, why) : rights_require_root(ctx);

	if (r == 0)
		r = restic_open(ctx, &restic);
	if (r == 0)
		r = backup_entries_load(ctx, &restic, which.name, &entries);
	if (r == 0)
		r = choose(ctx, &which, &entries, &entry);
	if (r < 0)
		return r;
	file = text_format("/" BACKUP_FILE, which.name);
	if (!file)
		return fail_memory(ctx);
	restore.options = (struct lb_import_options){ .size = sizeof restore.options,
						      .as = as ? as : which.name,
						      .allow_privileged = allow_privileged };
	progress(ctx, -1, "restoring %s from backup %s", which.name, entry->id);
	r = restic_load(ctx, &restic, (const char *const[]){ "dump", "--quiet", entry->full_id, file, NULL }, read_stream,
			&restore);
	if (r < 0) {
		free(restore.name);
		return fail_wrap(ctx, r, "cannot restore container '%s' from backup %s", which.name, entry->id);
	}
	if (ret_name)
		*ret_name = restore.name;
	else
		free(restore.name);
	return 0;
}
