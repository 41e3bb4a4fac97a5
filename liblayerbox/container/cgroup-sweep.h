/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The empty cgroups that killed monitors leave. */
#pragma once

#include "../core/context.h"

/* Removes the empty cgroups of containers that do not run; how many, or negative. */
int sweep_cgroups(struct lb_context *ctx);

/* The same before a start, which it also hastens: see cgroup_hasten(). Returns a pid to wait for, or 0. */
pid_t sweep_cgroups_before_start(struct lb_context *ctx);
