/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lb_events(): reading ROOT/logs/events.log, and waiting for more of it. */
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "../adapters/event-line.h"
#include "../core/log-directory.h"
#include "../core/store.h"
#include "../util/lines.h"
#include "event-file.h"
#include "words.h"

/* A file as far as it was read. */
struct source {
	int fd;
	ino_t inode;
	struct lines lines;
};

/*
 * The file that has been rotated away is read on until the next is: a writer may have opened it before, and write to
 * it later.
 */
struct follower {
	const struct lb_events_options *options;
	lb_event_fn fn;
	void *userdata;
	int logs_fd, changes_fd;
	bool is_through;              /* with what there was: what comes now is new, whatever the clock says */
	struct source before, present;
};

static bool is_wanted(const struct follower *follower, const struct lb_event *event)
{
	const char *const *name = follower->options->names;

	if (!follower->is_through && event->time < follower->options->since)
		return false;
	while (name && *name && !text_equal(*name, event->container))
		name++;
	return !name || *name;
}

static void on_line(char *line, void *userdata)
{
	const struct follower *follower = userdata;
	struct event_line read;
	char words[64];

	if (!event_line_read(line, &read))
		return;
	event_words(read.event.action, !text_equal(read.event.result, "ok"), words, sizeof words);
	read.event.words = words;
	if (is_wanted(follower, &read.event))
		follower->fn(&read.event, follower->userdata);
	event_line_free(&read);
}

/* Everything that is not a file of its own is left alone. A line of another length than an event's is none. */
static int source_open(int logs_fd, const char *file, struct source *source)
{
	CLEANUP_FD int fd = openat(logs_fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (lines_begin(&source->lines, 2 * EVENT_LINE_MAX) < 0)
		return -ENOMEM;
	source->inode = st.st_ino;
	source->fd = take_fd(&fd);
	return 0;
}

static void source_close(struct source *source)
{
	close_fd(take_fd(&source->fd));
	lines_free(&source->lines);
}

static int source_read(struct follower *follower, struct source *source)
{
	return source->fd < 0 ? 0 : lines_read(&source->lines, source->fd, on_line, follower);
}

static bool is_known(const struct follower *follower, const struct source *source)
{
	return source->fd < 0 || (follower->present.fd >= 0 && source->inode == follower->present.inode) ||
	       (follower->before.fd >= 0 && source->inode == follower->before.inode);
}

/* Moves on: @between is what was rotated away since, too, or nothing. */
static int go_on(struct follower *follower, struct source *between, struct source *next)
{
	int r = source_read(follower, &follower->before);

	if (r == 0)
		r = source_read(follower, &follower->present);
	if (between->fd >= 0) {
		source_close(&follower->before);
		source_close(&follower->present);
		follower->before = *between;
	} else if (follower->present.fd >= 0) {
		source_close(&follower->before);
		follower->before = follower->present;
	}
	follower->present = *next;
	return r;
}

/* Has another file come in its place, or two? */
static int look_for_next(struct follower *follower)
{
	struct source next = { .fd = -1 }, between = { .fd = -1 };
	int r = source_open(follower->logs_fd, EVENT_FILE, &next);

	if (r == -ENOENT || (r == 0 && !is_known(follower, &next)))
		r = source_open(follower->logs_fd, EVENT_FILE_BEFORE, &between);
	if (is_known(follower, &between) || (next.fd >= 0 && between.inode == next.inode))
		source_close(&between);
	if (is_known(follower, &next))
		source_close(&next);
	if (r < 0 && r != -ENOENT) {
		source_close(&between);
		source_close(&next);
		return r;
	}
	return next.fd >= 0 || between.fd >= 0 ? go_on(follower, &between, &next) : 0;
}

static int read_on(struct follower *follower)
{
	int r = look_for_next(follower);

	if (r == 0)
		r = source_read(follower, &follower->before);
	return r < 0 ? r : source_read(follower, &follower->present);
}

/* 1 when it is to end. */
static int wait_for_more(const struct follower *follower)
{
	struct pollfd fds[] = { { .fd = follower->changes_fd, .events = POLLIN },
				{ .fd = follower->options->stop_fd ? follower->options->stop_fd : -1,
				  .events = POLLIN } };
	char changes[4096];

	if (poll(fds, 2, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[1].revents)
		return 1;
	while (read(follower->changes_fd, changes, sizeof changes) > 0)
		;
	return 0;
}

static int follow(struct follower *follower)
{
	int r = read_on(follower);

	follower->is_through = true;
	while (r == 0 && follower->options->follow) {
		r = wait_for_more(follower);
		if (r == 0)
			r = read_on(follower);
	}
	source_close(&follower->before);
	source_close(&follower->present);
	return r < 0 ? r : 0;
}

/* Before the files are read, so that no change is missed. */
static int watch(struct follower *follower)
{
	char path[64];

	follower->changes_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", follower->logs_fd);
	if (follower->changes_fd < 0 ||
	    inotify_add_watch(follower->changes_fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0)
		return -errno;
	return 0;
}

int lb_events(struct lb_context *ctx, const struct lb_events_options *options, lb_event_fn fn, void *userdata)
{
	static const struct lb_events_options all = { .size = sizeof all };
	CLEANUP_FD int logs_fd = -1;
	CLEANUP_FD int changes_fd = -1;
	struct follower follower = { .options = options ? options : &all, .fn = fn, .userdata = userdata,
				     .before.fd = -1, .present.fd = -1, .changes_fd = -1 };
	int r = CHECK_INPUT(ctx, options, lb_events_options);

	if (r == 0)
		r = store_open(ctx);
	if (r < 0)
		return r;
	logs_fd = log_directory_open(ctx);
	if (logs_fd == -EACCES)
		return fail(ctx, -LB_ERR_NOT_ROOT, "only root and its group may read %s/" STORE_LOGS, ctx->config.root);
	if (logs_fd < 0)
		return fail_errno(ctx, logs_fd, "cannot open %s/" STORE_LOGS, ctx->config.root);
	follower.logs_fd = logs_fd;
	r = follower.options->follow ? watch(&follower) : 0;
	changes_fd = follower.changes_fd;
	if (r == 0)
		r = follow(&follower);
	return r < 0 ? fail_errno(ctx, r, "cannot read the events in %s/" STORE_LOGS, ctx->config.root) : 0;
}
