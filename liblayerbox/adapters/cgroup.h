/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Control groups, version 1 and 2: which controllers this host has, what a limit is called there, and the
 * empty groups that LXC leaves when a monitor is killed.
 */
#pragma once

#include "../core/context.h"

enum cgroup_controller { CGROUP_MEMORY, CGROUP_CPU, CGROUP_PIDS, CGROUP_CONTROLLERS };

enum { CGROUP_HIERARCHIES_MAX = 32 };

struct cgroup_layout {
	int version[CGROUP_CONTROLLERS];        /* 0: this host does not have it */
	char *mount_points[CGROUP_HIERARCHIES_MAX];
	char *options[CGROUP_HIERARCHIES_MAX]; /* its controllers are among them; NULL: it is of version 2 */
	size_t count;
};

int cgroup_layout_load(struct lb_context *ctx, struct cgroup_layout *ret_layout);
void cgroup_layout_free(struct cgroup_layout *layout);

/*
 * Where the groups of a controller lie, by its name in version 1: a hierarchy that has it, else that of version 2,
 * where it may be missing in a group. NULL where there is neither.
 */
const char *cgroup_mount_point(const struct cgroup_layout *layout, const char *controller, int *ret_version);

const char *cgroup_controller_name(enum cgroup_controller controller);

/* One value of one control file, as LXC's `lxc.cgroup[2].KEY = VALUE` and as set_cgroup_item() take them. */
struct cgroup_item {
	int version;
	char key[32];
	char value[64];
};

/*
 * What @amount of a controller (bytes, thousandths of a core, processes; 0: unlimited) is on this host, up
 * to two items in the order in which they must be written. Returns how many; 0 where there is no such controller.
 */
int cgroup_limit_items(const struct cgroup_layout *layout, enum cgroup_controller controller, uint64_t amount,
		       struct cgroup_item ret_items[2]);

/*
 * Moving a process to another group waits for every processor once (an RCU grace period, about 10 ms), unless another
 * move came shortly before. This makes such a move, of nothing to nowhere, in a child process, while the caller does
 * what comes before a container's start. Returns its pid, to be waited for, or 0.
 */
pid_t cgroup_hasten(void);

/*
 * Receives a name as it stands in a cgroup's. 1: a container of ours that is stopped, 0: one that is not, -1: none of
 * ours.
 */
typedef int (*cgroup_may_remove_fn)(const char *name, void *userdata);

/*
 * Removes the groups `lxc.payload.NAME`, `lxc.monitor.NAME` and those with LXC's suffix `-N` behind them,
 * bottom-up, where @may_remove agrees and no process is in them. Returns how many were removed.
 */
int cgroup_remove_leftovers(const struct cgroup_layout *layout, cgroup_may_remove_fn may_remove, void *userdata);

/* Are there groups `lxc.payload.NAME` or `lxc.monitor.NAME`? */
bool cgroup_has_groups(const struct cgroup_layout *layout, const char *name);
