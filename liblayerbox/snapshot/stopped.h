/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which containers are stopped for a moment, by whom: a file for each in RUNSTATEDIR, which a reboot empties, named by
 * the container's directory, so that a rename does no harm. Its maker has a flock(2) on it; what a killed one leaves
 * is started by the next sweep.
 */
#pragma once

#include <limits.h>

#include "../core/context.h"

struct stopped {
	int fd;
	char path[PATH_MAX];
};

#define STOPPED_EMPTY { .fd = -1 }
#define CLEANUP_STOPPED CLEANUP(stopped_end)

/* Notes one that runs and is about to be stopped. -LB_ERR_BUSY where another command is at it. */
int stopped_note(struct lb_context *ctx, int container_fd, const char *name, struct stopped *ret_stopped);

/* It runs again, or is not to; allowed at any time. */
void stopped_end(struct stopped *stopped);

/*
 * Somebody wants a container stopped that is: nothing starts it again but who is just at it. The caller has its lock.
 */
void stopped_forget(int container_fd);

/* Starts those of this root that killed commands left stopped. */
void stopped_sweep(struct lb_context *ctx);
