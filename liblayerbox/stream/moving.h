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
	MOVING_STARTING,              /* that was said; it may have run */
	MOVING_ARRIVED,               /* and so it does; kept for who asks again */
	MOVING_REFUSED,               /* it goes away again */
};

enum moving_event {
	/* where it comes from */
	MOVING_BEGIN,                 /* the last part begins */
	MOVING_DECIDE,                /* all was sent */
	MOVING_LEAVE,                 /* the other side has it */
	MOVING_TAKE_BACK,             /* the other side has it not */
	/* where it arrives */
	MOVING_COMMIT,                /* it is to live here */
	MOVING_STARTED,               /* it was started, or was not to be */
	MOVING_FAILED,                /* it was not; for who has brought it to STARTING, and knows that it never ran */
	MOVING_ABORT,                 /* the other side wants it back */
	MOVING_GIVE_WAY,              /* another one of its name comes */
};

struct moving {
	enum moving_stage stage, before; /* before: of moving_advance(), not in the file */
	char token[LAYER_ID_SIZE];    /* of this move: random, the same on both sides */
	char target[512];             /* where it comes from: where to, as it was given; else "" */
	bool ran;                     /* it ran when the move began */
	char forget[2048];            /* where it comes from: labels of snapshots that go at the end there, see sent.h */
};

/* The file's text; the caller's, NULL without memory. */
char *moving_to_text(const struct moving *moving);

/* Reads it (@text is changed): NULL, or what is wrong with it. */
const char *moving_parse(char *text, struct moving *ret_moving);

/*
 * The one way from stage to stage: looks what the stage is now, and writes what @event makes of it, durably. The
 * caller holds the container's lock, and may go on to act upon the answer until it gives that back. @moving: the
 * token, for MOVING_BEGIN all but the stage, for MOVING_DECIDE what is to be forgotten, for MOVING_COMMIT whether it
 * ran; afterwards what there is, and what stage it was before. Where a container has ARRIVED, that is in the list of
 * arrived.h, too.
 *
 * -LB_ERR_NO_CONTAINER where it is not of that move (any more; MOVING_GIVE_WAY is for any), -LB_ERR_BUSY where the
 * stage does not allow it: then nothing has changed.
 */
int moving_advance(struct lb_context *ctx, int container_fd, const char *name, enum moving_event event,
		   struct moving *moving);

/* Reads that of a container whose directory is open; stage is MOVING_NONE where there is none. */
int moving_read(struct lb_context *ctx, int container_fd, const char *name, struct moving *ret_moving);

/* Writes it, durably; the caller holds the container's lock. For moving_advance(), and tests. */
int moving_write(struct lb_context *ctx, int container_fd, const char *name, const struct moving *moving);

/* The container is not being moved any more. */
int moving_remove(struct lb_context *ctx, int container_fd, const char *name);

/* A flock(2) that says that somebody is at it: a descriptor, or -EWOULDBLOCK, without a sentence. */
int moving_hold(int container_fd);

/*
 * May the container be started here? -LB_ERR_BUSY with what to do. Who holds its lock says @locked: then what a killed
 * move left undecided is forgotten on the way.
 */
int moving_before_start(struct lb_context *ctx, int container_fd, const char *name, bool locked);

/* It was started here, or ran already: then it lives here. The caller holds its lock since before that. */
int moving_started(struct lb_context *ctx, int container_fd, const char *name);

/*
 * May it be changed here? Not on its way to or from elsewhere: what is changed after it was sent would be lost. The
 * move's own changes, of ctx->moves, may be made. The caller holds its lock. -LB_ERR_BUSY with what to do.
 */
int moving_before_change(struct lb_context *ctx, int container_fd, const char *name);
