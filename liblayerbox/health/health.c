/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of containers' health: what the supervisor wrote down, or a check that is made now. */
#include "../core/store.h"
#include "check.h"
#include "status-file.h"

void health_note(int containers_fd, struct lb_container *const *containers, size_t count)
{
	CLEANUP(health_status_free) struct health_status status = { 0 };
	CLEANUP_FREE char *path = health_status_path(containers_fd);
	bool is_watched = path && health_status_is_locked(path);

	if (path)
		health_status_load(path, &status);
	for (size_t i = 0; i < count; i++) {
		struct lb_container *container = containers[i];

		container->health = health_shown(health_status_find(&status, container->name), is_watched,
						 health_has_check(&container->record), container->live.pid);
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
