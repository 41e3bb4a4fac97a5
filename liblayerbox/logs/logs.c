/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lb_logs(): one container's log after the other or, when they are followed, all at the same time. */
#include <poll.h>
#include <pthread.h>
#include <sys/pidfd.h>

#include "../adapters/rights.h"
#include "reader.h"

enum { LINES_FOLLOWED = 10, LINES_MAX = 100000, STOPPED_AT_A_TIME = 2, ENDING_MS = 1000, PAUSE_MS = 1000 };

/* It is followed, and to be looked at again. */
enum { AGAIN = 1 };

/* ---- one ---- */

/* A console does not say when, or by which unit: what was asked for is not in there, and nothing else is shown. */
static bool needs_journal(const struct lb_logs_options *options)
{
	return options->unit || options->since || options->boot;
}

/* Who follows one that has nothing yet waits for it. */
static int read_console(struct reader *reader, const char *why)
{
	const int nothing = reader->options->follow ? AGAIN : 0;
	int r;

	if (needs_journal(reader->options)) {
		if (!reader->told)
			log_message(reader->ctx, LB_LOG_WARNING,
				    "container '%s'%s%s: its console does not say when, or by which unit, and is not shown",
				    reader->name, *why ? " " : "", why);
		reader->told = true;
		return nothing;
	}
	if (*why)
		log_message(reader->ctx, LB_LOG_INFO, "container '%s' %s: this is its console", reader->name, why);
	r = console_read(reader);
	if (r > 0)
		log_message(reader->ctx, LB_LOG_INFO, "container '%s' has no log of its console: it has not been started",
			    reader->name);
	return r > 0 ? nothing : r;
}

/* Told once until there are lines again. */
static int interrupted(struct reader *reader, const char *why)
{
	if (!reader->told)
		log_message(reader->ctx, LB_LOG_WARNING, "the journal of container '%s' is not followed at this moment: %s",
			    reader->name, why);
	reader->told = true;
	return AGAIN;
}

/* The console is no rest of a journal: only where nothing of that came, it is read instead. */
static int read_stopped(struct reader *reader, const struct lb_container *container)
{
	int r;

	while (sem_wait(reader->places) < 0)
		;
	r = reader_is_to_stop(reader) ? 0 : journal_read_stopped(reader, container);
	sem_post(reader->places);
	if (reader_is_to_stop(reader))
		return 0;
	reader->has_journal = r == 0 || reader->heard;
	if (r < 0 && reader->heard)
		return reader->options->follow ? interrupted(reader, reader->ctx->error) : r;
	if (r == 0) {
		log_message(reader->ctx, LB_LOG_INFO, "container '%s' is stopped: this was its journal as it is on disk",
			    reader->name);
		return reader->options->follow ? AGAIN : 0;
	}
	if (r < 0)
		log_message(reader->ctx, LB_LOG_WARNING, "the journal of container '%s', which is stopped, cannot be read: %s",
			    reader->name, reader->ctx->error);
	return read_console(reader, r > 0 ? "has no journal on disk" : "");
}

/* Its init ends a moment after all that it had started, such as who read its journal. */
static bool has_ended(int init)
{
	return poll(&(struct pollfd){ .fd = init, .events = POLLIN }, 1, ENDING_MS) > 0;
}

static int read_running(struct reader *reader, struct lb_container *container)
{
	CLEANUP_FD int init = pidfd_open(container->live.pid, 0);
	int r = journal_read_running(reader, container);

	if (r > 0)
		return reader->has_journal ? AGAIN : read_console(reader, "has no journal");
	reader->has_journal = reader->has_journal || r == 0;
	if (!reader->options->follow || reader_is_to_stop(reader))
		return r;
	if (has_ended(init)) {
		log_message(reader->ctx, LB_LOG_INFO, "container '%s' has stopped", reader->name);
		return AGAIN;
	}
	if (r < 0 && !reader->goes_on)
		return r;
	return interrupted(reader, r < 0 ? reader->ctx->error : "its journalctl has ended");
}

static int read_once(struct reader *reader)
{
	CLEANUP(container_cleanup) struct lb_container *container = NULL;
	int r = lb_container_open(reader->ctx, reader->name, &container);

	if (r < 0)
		return r;
	if (reader->options->console)
		return read_console(reader, "");
	if (container->live.state != LB_STATE_STOPPED)
		return read_running(reader, container);
	return read_stopped(reader, container);
}

/* Whatever ended it, it is looked for again as long as there is such a container. */
static int read_again(struct reader *reader)
{
	CLEANUP(container_cleanup) struct lb_container *container = NULL;
	int r = lb_container_open(reader->ctx, reader->name, &container);

	if (r == -LB_ERR_NO_CONTAINER)
		return 0;
	if (r < 0)
		return interrupted(reader, reader->ctx->error);
	if (container->live.state != LB_STATE_RUNNING)
		return AGAIN;
	return reader->options->console ? read_console(reader, "") : read_running(reader, container);
}

/* A second, in which a container that has just been started begins its journal. False when it is to end. */
static bool pause_reading(const struct reader *reader)
{
	struct pollfd fd = { .fd = reader->options->stop_fd ? reader->options->stop_fd : -1, .events = POLLIN };

	return poll(&fd, 1, PAUSE_MS) <= 0;
}

int reader_run(struct reader *reader)
{
	int r;

	/* Of some last lines the rest is not wanted later; of all since a time it is. */
	reader->from = reader->lines ? reader_now() : reader->options->since;
	r = read_once(reader);
	reader->goes_on = true;
	while (r == AGAIN && pause_reading(reader))
		r = read_again(reader);
	return r < 0 ? r : 0;
}

/* ---- all ---- */

struct batch {
	struct lb_context *ctx;
	const struct lb_logs_options *options;
	lb_line_fn fn;
	void *userdata;
	sem_t places;
	pthread_mutex_t mutex;
	bool several;
	int result;                   /* the first failure, and its sentence */
	char error[ERROR_MAX];
};

/* With others that are read on, a failure is told at once. */
static void note(struct batch *batch, const struct reader *reader, int r)
{
	if (r >= 0)
		return;
	pthread_mutex_lock(&batch->mutex);
	if (batch->several)
		log_message(batch->ctx, LB_LOG_WARNING, "container '%s': %s", reader->name, reader->ctx->error);
	if (!batch->result) {
		batch->result = r;
		text_copy(batch->error, sizeof batch->error, reader->ctx->error);
	}
	pthread_mutex_unlock(&batch->mutex);
}

static void read_one(struct batch *batch, struct lb_context *ctx, const char *name)
{
	const struct lb_logs_options *options = batch->options;
	struct reader reader = {
		.ctx = ctx,
		.name = name,
		.options = options,
		.lines = options->lines || !options->follow || options->since || options->boot ? options->lines
											       : LINES_FOLLOWED,
		.places = &batch->places,
		.mutex = &batch->mutex,
		.fn = batch->fn,
		.userdata = batch->userdata,
	};

	note(batch, &reader, reader_run(&reader));
}

/* ---- followed ---- */

struct follower {
	struct batch *batch;
	struct lb_context *ctx;
	const char *name;
	pthread_t thread;
	bool started;
};

static void on_log(enum lb_log_level level, const char *message, void *userdata)
{
	struct batch *batch = userdata;

	pthread_mutex_lock(&batch->mutex);
	log_message(batch->ctx, level, "%s", message);
	pthread_mutex_unlock(&batch->mutex);
}

static void *follow(void *data)
{
	struct follower *follower = data;

	read_one(follower->batch, follower->ctx, follower->name);
	return NULL;
}

static int start(struct batch *batch, struct follower *follower, const char *name)
{
	*follower = (struct follower){ .batch = batch, .name = name, .ctx = context_copy(batch->ctx) };
	if (!follower->ctx)
		return fail_memory(batch->ctx);
	lb_context_set_log(follower->ctx, on_log, batch);
	/* With the caller's signals: his function runs there, and may write into a pipe whose reader has gone. */
	follower->started = pthread_create(&follower->thread, NULL, follow, follower) == 0;
	return follower->started ? 0 : fail(batch->ctx, -EAGAIN, "there is no room for a thread for each container");
}

/* Each has a thread, which sleeps until there is a line. Where one cannot be had, what began is followed still. */
static int follow_all(struct batch *batch, const char *const *names, size_t count)
{
	struct follower *followers = calloc(count, sizeof *followers);
	int r = followers ? 0 : fail_memory(batch->ctx);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = start(batch, &followers[i], names[i]);
	for (size_t i = 0; followers && i < count; i++) {
		if (followers[i].started)
			pthread_join(followers[i].thread, NULL);
		lb_context_free(followers[i].ctx);
	}
	free(followers);
	return r;
}

int lb_logs(struct lb_context *ctx, const char *const *names, const struct lb_logs_options *options, lb_line_fn fn,
	    void *userdata)
{
	static const struct lb_logs_options all = { .size = sizeof all };
	struct batch batch = { .ctx = ctx, .options = options ? options : &all, .fn = fn, .userdata = userdata,
			       .mutex = PTHREAD_MUTEX_INITIALIZER };
	size_t count = 0;
	int r = CHECK_INPUT(ctx, options, lb_logs_options);

	if (r == 0 && batch.options->lines > LINES_MAX)
		r = fail(ctx, -LB_ERR_BAD_VALUE, "the number of lines is %d at most", LINES_MAX);
	if (r == 0 && batch.options->follow && batch.options->lines && batch.options->since)
		r = fail(ctx, -LB_ERR_BAD_VALUE,
			 "who follows from a time on is shown all lines since: give a number of lines, or a time");
	if (r == 0)
		r = rights_require_root(ctx);
	if (r < 0)
		return r;
	while (names[count])
		count++;
	batch.several = count > 1;
	sem_init(&batch.places, 0, STOPPED_AT_A_TIME);
	if (batch.options->follow && count > 1)
		r = follow_all(&batch, names, count);
	else
		for (size_t i = 0; i < count; i++)
			read_one(&batch, ctx, names[i]);
	sem_destroy(&batch.places);
	if (r == 0 && batch.result)
		r = fail(ctx, batch.result, "%s", batch.error);
	return r;
}
