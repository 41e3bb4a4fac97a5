/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One check: is a running container well, now? Its settings health.command, health.tcp and health.http say how. */
#pragma once

#include "../container/container.h"

enum { HEALTH_WHY_SIZE = 512 };

/* Is there anything to check? */
bool health_has_check(const struct record *record);

/* For how long at most, in seconds: health.timeout or its default. */
unsigned health_timeout(const struct record *record);

/* Notes in the handles of containers what the supervisor thinks of them; they have been asked what they do. */
void health_note(int containers_fd, struct lb_container *const *containers, size_t count);

/*
 * Does all checks that are set, one after the other, each for health.timeout at most. 0 when they are well, or none is
 * set; 1 when not, and one line for people in @ret_why of @size bytes. Failures are those of the host, and
 * -LB_ERR_NOT_RUNNING, also while it is frozen: that says nothing about how it is.
 */
int health_check(struct lb_context *ctx, struct lb_container *container, char *ret_why, size_t size);
