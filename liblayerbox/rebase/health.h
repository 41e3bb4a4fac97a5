/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is a running container well? */
#pragma once

#include "../container/container.h"

/* Does its systemd say `degraded`? False also where it has none, or does not run. */
bool health_is_degraded(struct lb_context *ctx, const char *name);

/*
 * Waits until its init says that it has booted, `running` (or `degraded` where @may_be_degraded), and its own checks
 * (health/check.h) find it well. -LB_ERR_UNHEALTHY with what it said instead within @timeout_s.
 */
int health_wait(struct lb_context *ctx, const char *name, bool may_be_degraded, unsigned timeout_s);
