/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One container's log, from where there is one: its journal, or its console. */
#pragma once

#include <pthread.h>
#include <semaphore.h>

#include "../container/container.h"

struct reader {
	struct lb_context *ctx;       /* of the thread that reads */
	const char *name;
	const struct lb_logs_options *options;
	unsigned lines;               /* so many of the last; 0: all */
	int64_t from;                 /* where who goes on begins, in microseconds since the epoch: with the last line */
	uint64_t last;                /* text_hash() of that, which was shown; 0: none was */
	bool goes_on;                 /* it was read, and is followed from then on */
	bool has_journal;             /* as far as is known; it may not have begun it yet in its present life */
	bool heard;                   /* a line of it has come */
	bool told;                    /* somebody knows that it is not followed at this moment */
	char **kept;                  /* a ring of so many lines, while only the last are wanted */
	size_t next;                  /* in that */
	sem_t *places;                /* for the programs of stopped containers, which share the host with all */
	pthread_mutex_t *mutex;       /* one line at a time, of all that read together */
	lb_line_fn fn;
	void *userdata;
};

/* Gives a line of the container's on, fit for a terminal. */
void reader_line(struct reader *reader, const char *line);

/* Where it has a number of lines, gives on only the last of those that come until reader_give_last(). */
int reader_keep_last(struct reader *reader);
void reader_give_last(struct reader *reader);

/* In microseconds since the epoch. */
int64_t reader_now(void);

/* A line of its journal came. */
void reader_heard(struct reader *reader);

/* The same, of @time in microseconds since the epoch: it is the one that whoever goes on begins with. */
void reader_heard_at(struct reader *reader, const char *line, int64_t time);

/* Was whoever reads told to end? */
bool reader_is_to_stop(const struct reader *reader);

/* Reads it, and follows it where that is asked for. */
int reader_run(struct reader *reader);

/*
 * The journal, by the container's own journalctl: run in it, or, where it is stopped, in a tree of its files that
 * nothing of it changes. 1 where it has none, and then no line was given.
 */
int journal_read_running(struct reader *reader, struct lb_container *container);
int journal_read_stopped(struct reader *reader, const struct lb_container *container);

/* What is in ROOT/logs/NAME. 1 where nothing is. */
int console_read(struct reader *reader);
