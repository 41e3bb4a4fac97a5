/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A running container that is frozen for a moment. A process of its own does it, which thaws when its input ends: so a
 * caller that is killed leaves nothing frozen. What was frozen by somebody else before stays so.
 */
#pragma once

#include "../core/context.h"

enum { FREEZE_SECONDS = 60 };

struct freeze {
	struct lb_context *ctx;
	char *lxcpath, *name;
	pid_t pid;                    /* 0: nothing is held */
	int input_fd, output_fd;
	bool was_frozen;              /* by somebody else */
	uint64_t frozen_us;           /* when released: from the request until it was thawed; 0 if @was_frozen */
};

#define FREEZE_EMPTY { .input_fd = -1, .output_fd = -1 }
#define CLEANUP_FREEZE CLEANUP(freeze_drop)

/*
 * Returns when all processes of the container stand still. After @timeout_s, it is thawed whatever the caller does.
 * Errors: -LB_ERR_NOT_RUNNING, -LB_ERR_RUNTIME, -LB_ERR_TIMEOUT, -LB_ERR_NO_PROGRAM.
 */
int freeze_hold(struct lb_context *ctx, const char *lxcpath, const char *name, unsigned timeout_s,
		struct freeze *ret_freeze);

/*
 * Thaws it. Negative where it was not frozen all the time: what was read meanwhile may not be of one moment.
 * -LB_ERR_TIMEOUT, -LB_ERR_RUNTIME (the process that held it died; then it is thawed all the same).
 */
int freeze_release(struct freeze *freeze);

/* The same for who failed while it was held: that failure's sentence stays. */
void freeze_drop(struct freeze *freeze);
