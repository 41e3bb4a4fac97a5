/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Doing what a plan says: the switch of a stopped, locked container from one generation to another, and back. */
#pragma once

#include "plan.h"

/*
 * Does it, and writes the record, which it changes: from then on the container stands on the new generation. After a
 * failure, and whoever ends the process, it stands on the old one as before.
 */
int rebase_apply(struct lb_context *ctx, int container_fd, const struct lb_rebase *rebase, struct record *record);

/*
 * Undoes what was done, and writes the record. 1 where there is nothing to undo; -LB_ERR_CONFLICT where packages were
 * changed since.
 */
int rebase_take_back(struct lb_context *ctx, const char *name, int container_fd, struct record *record);

/* Gives up the way back, and writes the record. 1 where there is none. */
int rebase_settle(struct lb_context *ctx, const char *name, int container_fd, struct record *record);

/*
 * Puts right what a killed rebase left: a container whose record is still on the old generation gets its files back.
 * Cheap where there is nothing. For whoever holds the container's lock and is about to use its files.
 */
int rebase_recover(struct lb_context *ctx, const char *name, int container_fd, struct record *record);

/* Is there something for rebase_recover() to put right? */
bool rebase_is_interrupted(struct lb_context *ctx, const char *name, int container_fd, const struct record *record);

/*
 * rebase_recover() for who does not hold the container's lock: LXC's hook. It has to wait for a rebase that is at work,
 * which has looked whether the container runs while it did not; one that comes later sees that it is being started.
 */
int rebase_recover_unlocked(struct lb_context *ctx, const char *name);
