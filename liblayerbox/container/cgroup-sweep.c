/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup-sweep.h"

#include <fcntl.h>

#include "../adapters/cgroup.h"
#include "../core/store.h"
#include "container.h"

struct sweep {
	const char *lxcpath;
	int containers_fd;
	struct lxc_monitors monitors; /* those that ran when it began */
};

/* For the cgroup adapter: is the container ours, and has it no monitor (any more)? */
static int is_ours_and_stopped(const char *name, void *userdata)
{
	const struct sweep *sweep = userdata;

	if (lxc_monitors_has(&sweep->monitors, sweep->lxcpath, name))
		return 0;
	if (!name_is_valid(name) || faccessat(sweep->containers_fd, name, F_OK, 0) < 0)
		return -1;
	return !lxc_command_has_monitor(sweep->lxcpath, name); /* it may have come since */
}

static int sweep_in(struct lb_context *ctx, const struct cgroup_layout *layout)
{
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);
	CLEANUP_FD int containers_fd = store_open_directory(ctx, STORE_CONTAINERS);
	struct sweep sweep = { .lxcpath = lxcpath, .containers_fd = containers_fd };
	int r = lxcpath ? containers_fd : fail_memory(ctx);

	if (r < 0)
		return r;
	r = lxc_monitors_load(&sweep.monitors);
	if (r < 0)
		return fail_errno(ctx, r, "cannot read /proc/net/unix");
	r = cgroup_remove_leftovers(layout, is_ours_and_stopped, &sweep);
	lxc_monitors_free(&sweep.monitors);
	return r;
}

int sweep_cgroups(struct lb_context *ctx)
{
	CLEANUP(cgroup_layout_free) struct cgroup_layout layout = { 0 };
	int r = cgroup_layout_load(ctx, &layout);

	return r < 0 ? r : sweep_in(ctx, &layout);
}

int sweep_cgroups_of(struct lb_context *ctx, const char *const *names)
{
	CLEANUP(cgroup_layout_free) struct cgroup_layout layout = { 0 };
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);
	int r = lxcpath ? cgroup_layout_load(ctx, &layout) : fail_memory(ctx);

	for (; r == 0 && *names; names++)
		if (name_is_valid(*names) && cgroup_has_groups(&layout, *names) &&
		    !lxc_command_has_monitor(lxcpath, *names))
			return sweep_in(ctx, &layout);
	return r;
}
