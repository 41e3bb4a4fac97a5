/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What may take long, done beside the supervisor's loop: each piece of work in a thread of its own with a context of
 * its own, a bounded number of each kind at a time, so that checks that hang hold up no restart. The loop, one thread,
 * gives work and takes it back when it is done; a descriptor says when.
 */
#pragma once

#include "../core/context.h"
#include "../core/name.h"

enum work_kind {
	WORK_LOOK,                    /* what containers do, how full the disk is */
	WORK_CHECK,
	WORK_CHANGE,                  /* starts and restarts */
	WORK_TELL,                    /* alerts: of one container in the order in which they were given */
	WORK_KINDS,
};

/* Stands first in a struct of its own kind, which has what it needs, and what came of it. */
struct work {
	enum work_kind kind;
	char name[NAME_LENGTH_MAX + 1]; /* of the container; "" for the host */
	void (*run)(struct lb_context *ctx, struct work *work); /* in its thread */
	void (*done)(void *userdata, struct work *work); /* for the loop, which calls it */
	void (*release)(struct work *work); /* free(3), and what is in it */
	struct text_list warnings;    /* what was logged meanwhile */
	struct work *next;            /* for its queue */
};

struct works;

/* @ctx outlives it. NULL without memory or descriptors. */
struct works *works_new(struct lb_context *ctx);

/* Can be read from when something is done. */
int works_fd(const struct works *works);

/* Takes @work, which begins at the next works_run(). */
void works_give(struct works *works, struct work *work);

/* Begins what there is room for. */
void works_run(struct works *works);

/* The next one that is done, the caller's; NULL when there is none. */
struct work *works_take(struct works *works);

/* For work_release(). */
void work_free(struct work *work);

/*
 * Nothing new begins but what has to be told; true when neither that nor a change is under way any more, and all
 * results are taken: something may have to be told of them.
 */
bool works_finish(struct works *works);

/* What is under way ends in its thread, and nobody hears of it. */
void works_free(struct works *works);
