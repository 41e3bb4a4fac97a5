/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Killing containers: their monitors are asked side by side, without liblxc and without a process for each. */
#pragma once

#include "runtime.h"

/* runtime_run() for the verb "kill": 1 for a container that was not running. */
int lxc_kill_run(struct lb_context *ctx, const struct runtime_task *task);
