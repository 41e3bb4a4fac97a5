/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What killed commands and killed monitors leave behind, put right by whichever command comes next. */
#include <fcntl.h>

#include "../adapters/rights.h"
#include "../base/base.h"
#include "../container/cgroup-sweep.h"
#include "../container/console-log.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../snapshot/layer.h"
#include "../snapshot/stopped.h"
#include "../stream/moving-sweep.h"

static void sweep_directory(struct lb_context *ctx, const char *directory, const char *what)
{
	CLEANUP_FD int fd = store_open_directory(ctx, directory);
	CLEANUP_FD int lock_fd = -1;

	if (fd < 0 || !store_has_hidden(fd))
		return;
	lock_fd = lock_root(ctx);
	if (lock_fd >= 0)
		store_sweep(ctx, fd, what);
}

static void sweep_generations(struct lb_context *ctx)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };

	if (base_list_names(ctx, &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP_FREE char *path = text_format(STORE_BASES "/%s", names.items[i]);

		if (path)
			sweep_directory(ctx, path, "generation");
	}
}

int lb_sweep(struct lb_context *ctx)
{
	int r = rights_require_root(ctx);

	if (r == 0)
		r = store_open(ctx);
	if (r < 0)
		return r;
	sweep_directory(ctx, STORE_CONTAINERS, "container");
	sweep_directory(ctx, STORE_BASES, "base");
	sweep_generations(ctx);
	if (faccessat(ctx->root_fd, STORE_LAYERS, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		sweep_directory(ctx, STORE_LAYERS, "layer");
	if (layers_sweep_is_due(ctx) && layers_sweep(ctx) < 0)
		log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
	moving_sweep(ctx);
	stopped_sweep(ctx);
	console_logs_mend(ctx);
	r = sweep_cgroups(ctx);
	return r < 0 ? r : 0;
}
