/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The long part of a live snapshot, done without the container's lock: others may stop, start, rebase or restore the
 * container meanwhile. What is copied is good as long as the container has the same top layer, whatever was written to
 * that: the last pass, under the lock, finds what changed. Two live snapshots of one container exclude one another by
 * a flock(2) on containers/NAME/snapshots, which is taken before the container's lock, and waited for without any
 * other.
 */
#pragma once

#include "layer.h"
#include "live-copy.h"
#include "make.h"

struct ahead {
	int lock_fd;                  /* containers/NAME/snapshots */
	int top_fd;                   /* what is copied; open, so that no other directory gets its inode */
	int previous_tree_fd;         /* held: a fold gives no container the files that are linked from it */
	struct layer_draft draft;
	struct live_copy *copy;       /* NULL: nothing is begun */
	int64_t until_ms;             /* on the monotonic clock: when the last pass ended */
};

#define AHEAD_EMPTY { .lock_fd = -1, .top_fd = -1, .previous_tree_fd = -1, .draft = LAYER_DRAFT_EMPTY }
#define CLEANUP_AHEAD CLEANUP(ahead_end)

/*
 * Waits until no other live snapshot of the container is made; the caller holds no lock. -LB_ERR_BUSY after a minute.
 */
int ahead_lock(struct lb_context *ctx, const char *name, struct ahead *ahead);

/* Is the lock that of this container, which is locked now? -LB_ERR_BUSY where another one has its name. */
int ahead_check(const struct making *making, const struct ahead *ahead);

/* Begins to copy the container's present top layer; it is locked. What was copied of another one goes. */
int ahead_begin(const struct making *making, struct ahead *ahead);

/* The passes while it runs; without the container's lock. */
int ahead_copy(struct lb_context *ctx, const char *name, struct ahead *ahead);

/* Is what was copied this container's top layer still? It is locked. */
bool ahead_is_of(const struct ahead *ahead, int container_fd);

/* One more pass, where the container's lock was long in coming: the last one shall be short. */
int ahead_catch_up(struct ahead *ahead);

/* Removes what was copied, unless it is a layer by now. The lock stays. */
void ahead_drop(struct ahead *ahead);
void ahead_end(struct ahead *ahead);
