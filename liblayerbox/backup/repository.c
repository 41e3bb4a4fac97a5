/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The repository as a whole: made, checked, unlocked. */
#include <limits.h>
#include <unistd.h>

#include "../adapters/restic.h"
#include "../adapters/rights.h"
#include "backup.h"

int backup_host(struct lb_context *ctx, char ret_host[HOST_SIZE])
{
	if (gethostname(ret_host, HOST_SIZE) < 0)
		return fail_errno(ctx, errno, "cannot ask for the host's name");
	ret_host[HOST_SIZE - 1] = '\0';
	return 0;
}

static void on_line(const char *line, void *userdata)
{
	progress(userdata, -1, "%.200s", line);
}

/* Opens it, as root, and runs restic with @arguments. */
static int run(struct lb_context *ctx, struct restic *restic, const char *const *arguments)
{
	int r = rights_require_root(ctx);

	if (r == 0)
		r = restic_open(ctx, restic);
	return r < 0 ? r : restic_run(ctx, restic, arguments, on_line, ctx);
}

int lb_backup_init(struct lb_context *ctx)
{
	CLEANUP_RESTIC struct restic restic = { 0 };
	int r = rights_require_root(ctx);

	if (r == 0)
		r = restic_open(ctx, &restic);
	if (r < 0)
		return r;
	if (restic_run(ctx, &restic, (const char *const[]){ "cat", "config", NULL }, NULL, NULL) == 0)
		return 1;
	return restic_run(ctx, &restic, (const char *const[]){ "init", NULL }, NULL, NULL);
}

int lb_backup_unlock(struct lb_context *ctx)
{
	CLEANUP_RESTIC struct restic restic = { 0 };

	return run(ctx, &restic, (const char *const[]){ "unlock", NULL });
}

int lb_backup_check(struct lb_context *ctx, bool read_data)
{
	CLEANUP_RESTIC struct restic restic = { 0 };

	return run(ctx, &restic, (const char *const[]){ "check", read_data ? "--read-data" : NULL, NULL });
}
