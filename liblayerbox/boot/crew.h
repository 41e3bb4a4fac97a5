/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads that work for one caller, with plain blocking calls, each in a context of its own. What they have to say is
 * heard in the caller's thread, also what they log.
 */
#pragma once

#include <pthread.h>

#include "../core/context.h"

struct crew_worker;

struct crew {
	struct lb_context *ctx;       /* the caller's */
	pthread_mutex_t mutex;
	pthread_cond_t said;
	struct crew_note *first, *last; /* that nobody has heard yet */
	size_t at_work;
};

/* What a worker says: what @kind and @about mean is between it and the caller. */
struct crew_note {
	struct crew_note *next;
	struct crew_worker *ended;    /* its last one, which comes in any case; crew_hear() returns its @data then */
	void *data;
	int kind;
	size_t about;
	int result;
	enum lb_log_level log_level;  /* not 0: a message for the log */
	char text[];
};

typedef void (*crew_fn)(struct crew_worker *worker, struct lb_context *ctx, void *data);

void crew_open(struct lb_context *ctx, struct crew *ret_crew);

/* Waits for all who are still at work, and forgets what they say. */
void crew_close(struct crew *crew);

/*
 * Has @fn work with @data in a thread; where there is none to be had, at once. -ENOMEM, and then it has not begun.
 */
int crew_begin(struct crew *crew, crew_fn fn, void *data);

/* For a worker: says it to the caller. What there is no memory for is lost. */
void crew_say(struct crew_worker *worker, int kind, size_t about, int result, const char *text);

/*
 * The next thing that is said; NULL when nothing has been until @end_ms of clock_ms() or, where that is negative, when
 * nobody is at work. free(3) it.
 */
struct crew_note *crew_hear(struct crew *crew, int64_t end_ms);
