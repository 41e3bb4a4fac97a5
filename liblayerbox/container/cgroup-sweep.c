/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup-sweep.h"

#include "../adapters/cgroup.h"
#include "../core/store.h"
#include "container.h"

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

pid_t sweep_cgroups_before_start(struct lb_context *ctx)
{
	CLEANUP(cgroup_layout_free) struct cgroup_layout layout = { 0 };
	pid_t pid;

	if (cgroup_layout_load(ctx, &layout) < 0)
		return 0;
	pid = cgroup_hasten(&layout);
	cgroup_remove_leftovers(&layout, is_ours_and_stopped, ctx);
	return pid;
}
