/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What killed commands and killed monitors leave behind, put right by whichever command comes next. */
#include "../adapters/cgroup.h"
#include "../adapters/rights.h"
#include "../container/container.h"
#include "../core/store.h"
#include "care.h"

/* For the cgroup adapter: is the container ours, and has it no monitor (any more)? */
static int is_ours_and_stopped(const char *name, void *userdata)
{
	struct lb_context *ctx = userdata;
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);
	CLEANUP_FREE char *directory = store_path(ctx, STORE_CONTAINERS "/%s", name);

	if (!lxcpath || !directory)
		return 0;
	if (!name_is_valid(name) || access(directory, F_OK) < 0)
		return -1;
	return !lxc_command_has_monitor(lxcpath, name);
}

int sweep_cgroups(struct lb_context *ctx)
{
	CLEANUP(cgroup_layout_free) struct cgroup_layout layout = { 0 };
	int r = cgroup_layout_load(ctx, &layout);

	return r < 0 ? r : cgroup_remove_leftovers(&layout, is_ours_and_stopped, ctx);
}

static void sweep_directory(struct lb_context *ctx, const char *directory, const char *what)
{
	CLEANUP_FD int fd = store_open_directory(ctx, directory);

	if (fd >= 0)
		store_sweep(ctx, fd, what);
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
	r = sweep_cgroups(ctx);
	return r < 0 ? r : 0;
}
