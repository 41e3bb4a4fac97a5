/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of containers' health: what the supervisor wrote down, or a check that is made now. */
#include <signal.h>

#include "../core/store.h"
#include "check.h"
#include "status-file.h"

/*
 * Is what the supervisor says of @entry's init said of the one there is? Where that is not known it is not asked for:
 * an init that is there is the container's, since the next one begins after its end.
 */
static bool is_same_life(const struct health_entry *entry, const struct lb_container *container)
{
	if (!entry || !entry->pid)
		return false;
	if (!container->listed)
		return entry->pid == container->live.pid;
	return kill(entry->pid, 0) == 0 || errno != ESRCH;
}

static bool is_up(enum lb_state state)
{
	return state != LB_STATE_STOPPED && state != LB_STATE_STARTING;
}

void health_note(int containers_fd, struct lb_container *const *containers, size_t count)
{
	CLEANUP(health_status_free) struct health_status status = { 0 };
	CLEANUP_FREE char *path = health_status_path(containers_fd);
	bool is_watched = path && health_status_is_locked(path);

	if (path)
		health_status_load(path, &status);
	for (size_t i = 0; i < count; i++) {
		struct lb_container *container = containers[i];
		const struct health_entry *entry = health_status_find(&status, container->name);
		const struct health_sight sight = { .is_watched = is_watched,
						    .has_check = health_has_check(&container->record),
						    .is_up = is_up(container->live.state),
						    .is_same_life = is_same_life(entry, container) };

		container->health = health_shown(entry, &sight);
	}
}

const char *lb_container_get_health(struct lb_container *container)
{
	CLEANUP_FD int containers_fd = container->health ? -1 : store_open_directory(container->ctx, STORE_CONTAINERS);

	if (containers_fd >= 0)
		health_note(containers_fd, &container, 1);
	return container->health ? container->health : "";
}

int lb_container_check(struct lb_container *container)
{
	char why[HEALTH_WHY_SIZE] = "";
	int r;

	if (!health_has_check(&container->record))
		return 1;
	r = health_check(container->ctx, container, why, sizeof why);
	return r > 0 ? fail(container->ctx, -LB_ERR_UNHEALTHY, "container '%s' is not well: %s", container->name, why)
		     : r;
}
