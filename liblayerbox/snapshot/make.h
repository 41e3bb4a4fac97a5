/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making a snapshot of a container that is locked, in the way that fits what it is doing; see also ahead.h. */
#pragma once

#include "snapshot.h"

struct next_came;

/* What the caller decides about a snapshot. */
struct making {
	struct lb_context *ctx;
	const char *name;             /* of the container */
	int container_fd;             /* locked by container_lock() */
	const char *label;
	struct snapshot_record record; /* comment, expires, scheduled: given; the rest is filled in */
};

/* What a container goes on with in the step in which its present state becomes a snapshot. */
struct going_on {
	struct record record;
	int like_fd;                  /* the topmost of its trees, whose root the new top layer is like */
	/* Puts into the new top layer what has to be in it; on disk when it returns. */
	int (*fill)(struct lb_context *ctx, int top_fd, const void *userdata);
	const void *userdata;
	const struct next_came *came; /* what else comes in that step; NULL: nothing */
};

/*
 * Of a stopped container: its top layer becomes a layer. The container goes on with that layer below an empty top or,
 * in the same step, with @other (may be NULL).
 */
int make_cold(struct making *making, const struct record *record, const struct going_on *other);

/*
 * Of one that runs, is frozen, or whose top layer has to stay where it is: a copy. @ahead: what was copied of it
 * already, if anything.
 */
struct ahead;
int make_copy(struct making *making, const struct record *record, bool freeze, struct ahead *ahead);

/* A handle of what was made or read; takes what @record owns. */
int snapshot_make_handle(struct lb_context *ctx, const char *container, const char *label,
			 struct snapshot_record *record, struct lb_snapshot **ret_snapshot);

/* A label that no snapshot of the container has: "" or PREFIX-, and the time in UTC. */
int label_make(struct lb_context *ctx, int container_fd, const char *container, const char *prefix,
	       char ret_label[LABEL_SIZE]);
