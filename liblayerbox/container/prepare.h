/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../core/context.h"

/*
 * What comes before each start of a container that is stopped, and locked until it has been started: what was begun is
 * finished, and what follows from its record is made so. 0, or a failure.
 */
int prepare_for_start(struct lb_context *ctx, const char *name, int container_fd);
