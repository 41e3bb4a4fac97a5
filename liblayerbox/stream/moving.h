/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far a container's move between hosts is, on either of them: containers/NAME/move/state. What each stage allows is
 * what keeps a container from running on both: docs/snapshots.md, "A move".
 */
#pragma once

#include "../core/chain.h"
#include "../core/context.h"

#define MOVING_DIRECTORY "move"
#define MOVING_FILE MOVING_DIRECTORY "/state"

enum moving_stage {
	MOVING_NONE,
	/* where it comes from */
	MOVING_SENDING,               /* it is stopped, or about to be, for the last part; nothing is decided */
	MOVING_DECIDED,               /* the other side was told to start it: only that side can say whether it has */
	MOVING_GONE,                  /* it has: what is left here goes */
	/* where it arrives */
	MOVING_INCOMING,              /* it is not all here, or nobody has said that it is to live here */
	MOVING_STARTING,              /* that was said */
	MOVING_ARRIVED,               /* and so it does; kept for who asks again */
	MOVING_REFUSED,               /* it goes away again */
};

struct moving {
	enum moving_stage stage;
	char token[LAYER_ID_SIZE];    /* of this move: random, the same on both sides */
	char target[512];             /* where it comes from: where to, as it was given; else "" */
	bool ran;                     /* where it comes from: it ran when the move began */
};

/* The file's text; the caller's, NULL without memory. */
char *moving_to_text(const struct moving *moving);

/* Reads it (@text is changed): NULL, or what is wrong with it. */
const char *moving_parse(char *text, struct moving *ret_moving);

/* Reads that of a container whose directory is open; stage is MOVING_NONE where there is none. */
int moving_read(struct lb_context *ctx, int container_fd, const char *name, struct moving *ret_moving);

/* Writes it, durably; the caller holds the container's lock. */
int moving_write(struct lb_context *ctx, int container_fd, const char *name, const struct moving *moving);

/* The container is not being moved any more. */
int moving_remove(struct lb_context *ctx, int container_fd, const char *name);

/* A flock(2) that says that somebody is at it: a descriptor, or -EWOULDBLOCK, without a sentence. */
int moving_hold(int container_fd);

/*
 * May the container be started here? -LB_ERR_BUSY with what to do. Who holds its lock says @locked: then what a killed move
 * left undecided is forgotten on the way.
 */
int moving_before_start(struct lb_context *ctx, int container_fd, const char *name, bool locked);
