/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lb_logs(): one container's log after the other or, when they are followed, all at the same time. */
#include <poll.h>
#include <sys/pidfd.h>

#include "../adapters/rights.h"
#include "../util/utf8.h"
#include "reader.h"

enum { LINES_FOLLOWED = 10, LINES_MAX = 100000, ENDING_MS = 1000 };

/* ---- one ---- */

void reader_line(const struct reader *reader, const char *line)
{
	CLEANUP_FREE char *clean = strdup(line);

	if (!clean)
		return;
	utf8_clean(clean);
	pthread_mutex_lock(reader->mutex);
	reader->fn(reader->name, clean, reader->userdata);
	pthread_mutex_unlock(reader->mutex);
}

bool reader_is_to_stop(const struct reader *reader)
{
	struct pollfd fd = { .fd = reader->options->stop_fd, .events = POLLIN };

	return fd.fd && poll(&fd, 1, 0) > 0;
}

/* A console does not say when, or by which unit: what was asked for is not in there, and nothing else is shown. */
static bool needs_journal(const struct lb_logs_options *options)
{
	return options->unit || options->since || options->boot;
}

static int read_console(const struct reader *reader, const char *why)
{
	int r;

	if (needs_journal(reader->options)) {
		log_message(reader->ctx, LB_LOG_WARNING,
			    "container '%s'%s%s: its console does not say when, or by which unit, and is not shown",
			    reader->name, *why ? " " : "", why);
		return 0;
	}
	if (*why)
		log_message(reader->ctx, LB_LOG_INFO, "container '%s' %s: this is its console", reader->name, why);
	r = console_read(reader);
	if (r > 0)
		log_message(reader->ctx, LB_LOG_INFO, "container '%s' has no log of its console: it has not been started",
			    reader->name);
	return r < 0 ? r : 0;
}

static int read_stopped(const struct reader *reader, const struct lb_container *container)
{
	int r = journal_read_stopped(reader, container);

	if (r == 0)
		log_message(reader->ctx, LB_LOG_INFO, "container '%s' is stopped: this was its journal as it is on disk",
			    reader->name);
	if (r < 0)
		log_message(reader->ctx, LB_LOG_WARNING, "the journal of container '%s', which is stopped, cannot be read: %s",
			    reader->name, reader->ctx->error);
	return r == 0 ? 0 : read_console(reader, r > 0 ? "has no journal on disk" : "");
}

/* Its init ends a moment after all that it had started, such as who read its journal. */
static bool has_ended(int init)
{
	return poll(&(struct pollfd){ .fd = init, .events = POLLIN }, 1, ENDING_MS) > 0;
}

static int read_running(const struct reader *reader, struct lb_container *container)
{
	CLEANUP_FD int init = pidfd_open(container->live.pid, 0);
	int r = journal_read_running(reader, container);

	if (r > 0)
		return read_console(reader, "has no journal");
	if (reader->options->follow && has_ended(init)) {
		log_message(reader->ctx, LB_LOG_INFO, "container '%s' has stopped", reader->name);
		return 0;
	}
	return r;
}

int reader_run(const struct reader *reader)
{
	CLEANUP(container_cleanup) struct lb_container *container = NULL;
	int r = lb_container_open(reader->ctx, reader->name, &container);

	if (r < 0)
		return r;
	if (reader->options->console)
		return read_console(reader, "");
	return container->live.state == LB_STATE_STOPPED ? read_stopped(reader, container)
							 : read_running(reader, container);
}

/* ---- all ---- */

struct batch {
	struct lb_context *ctx;
	const struct lb_logs_options *options;
	lb_line_fn fn;
	void *userdata;
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
	const struct reader reader = {
		.ctx = ctx,
		.name = name,
		.options = options,
		.lines = options->lines || !options->follow || options->since || options->boot ? options->lines
											       : LINES_FOLLOWED,
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
	if (batch.options->follow && count > 1)
		r = follow_all(&batch, names, count);
	else
		for (size_t i = 0; i < count; i++)
			read_one(&batch, ctx, names[i]);
	if (r == 0 && batch.result)
		r = fail(ctx, batch.result, "%s", batch.error);
	return r;
}
