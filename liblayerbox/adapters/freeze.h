/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container held frozen while something is done with its files. A helper process freezes it and holds one end of a
 * socket: whoever holds the other one may die in any way, and the container is thawed. If the helper dies, its caller
 * thaws.
 */
#pragma once

#include "../core/context.h"

struct freeze {
	struct lb_context *ctx;
	char *lxcpath, *name;
	int fd;                       /* to the helper */
	pid_t pid;
	uint64_t frozen_us;           /* after freeze_release(): how long, from the request to freeze until it ran again */
};

/*
 * Freezes a running container, for @timeout_s at most; one that is frozen already stays so. -LB_ERR_NOT_RUNNING,
 * -LB_ERR_RUNTIME.
 */
int freeze_hold(struct lb_context *ctx, const char *lxcpath, const char *name, unsigned timeout_s,
		struct freeze *ret_freeze);

/* Thaws it. -LB_ERR_TIMEOUT, -LB_ERR_RUNTIME where it was not frozen all the time; it runs in any case. */
int freeze_release(struct freeze *freeze);
