/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lb_snapshot_create(): checks, and which way of making one it is. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "../adapters/rights.h"
#include "../container/container.h"
#include "../container/layout.h"
#include "../container/next.h"
#include "../events/event.h"
#include "../rebase/apply.h"
#include "ahead.h"
#include "stopped.h"

enum { LABEL_TRIES = 1000, CREATE_TRIES = 5 };

static bool has_label(int container_fd, const char *label)
{
	CLEANUP_FREE char *path = text_format(LAYOUT_SNAPSHOTS "/%s", label);

	return path && faccessat(container_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int label_make(struct lb_context *ctx, int container_fd, const char *container, const char *prefix,
	       char ret_label[LABEL_SIZE])
{
	time_t now = time(NULL);
	char when[32];
	struct tm tm;

	strftime(when, sizeof when, "%Y%m%d-%H%M%S", gmtime_r(&now, &tm));
	snprintf(ret_label, LABEL_SIZE, "%s%s%s", prefix, *prefix ? "-" : "", when);
	for (int i = 2; has_label(container_fd, ret_label); i++) {
		if (i > LABEL_TRIES)
			return fail(ctx, -LB_ERR_EXISTS, "container '%s' has a snapshot '%s' already", container,
				    ret_label);
		snprintf(ret_label, LABEL_SIZE, "%s%s%s.%d", prefix, *prefix ? "-" : "", when, i);
	}
	return 0;
}

/* Whatever it is called and says is good for the line that it will be. */
static int check_options(struct lb_context *ctx, const struct lb_snapshot_options *options)
{
	int r = CHECK_INPUT(ctx, options, lb_snapshot_options);

	if (r == 0 && options && options->label)
		r = label_check(ctx, options->label);
	if (r == 0 && options && options->comment && strpbrk(options->comment, "\n\r"))
		r = fail(ctx, -LB_ERR_BAD_VALUE, "a comment is one line");
	if (r == 0 && options && (options->expires < 0 || options->expires > TIME_MAX))
		r = fail(ctx, -LB_ERR_BAD_VALUE, "a snapshot cannot expire before 1970, nor after 9999");
	return r;
}

/* 1 where something is to be done first without the container's lock. */
static int make_live(struct making *making, struct record *record, struct ahead *ahead)
{
	int r = ahead->lock_fd < 0 ? 1 : ahead_check(making, ahead);

	if (r != 0)
		return r;
	if (ahead_is_of(ahead, making->container_fd))
		return make_copy(making, record, true, ahead);
	r = ahead_begin(making, ahead);
	return r < 0 ? r : 1;
}

/* The top layer has to stay where it is while a rebase can be undone: the way back speaks of its files. */
static int make(struct making *making, struct record *record, struct ahead *ahead)
{
	int stopped = container_is_stopped(making->ctx, making->name), r;

	if (stopped < 0)
		return stopped;
	if (!stopped)
		return make_live(making, record, ahead);
	ahead_drop(ahead);
	r = rebase_recover(making->ctx, making->name, making->container_fd, record);
	if (r < 0)
		return r;
	return *record->rebased_from ? make_copy(making, record, false, ahead) : make_cold(making, record, NULL);
}

static int create_locked(struct lb_context *ctx, const char *name, int container_fd,
			 const struct lb_snapshot_options *options, struct ahead *ahead,
			 struct lb_snapshot **ret_snapshot)
{
	struct making making = { .ctx = ctx, .name = name, .container_fd = container_fd };
	struct record record = { 0 };
	char label[LABEL_SIZE];
	int r = record_read(ctx, container_fd, name, &record);

	if (r < 0)
		return r;
	if (options && options->label) {
		text_copy(label, sizeof label, options->label);
		if (has_label(container_fd, label))
			r = fail(ctx, -LB_ERR_EXISTS, "container '%s' has a snapshot '%s' already", name, label);
	} else {
		r = label_make(ctx, container_fd, name, "", label);
	}
	making.label = label;
	making.record = snapshot_record_of(name, &record);
	making.record.expires = options ? options->expires : 0;
	making.record.scheduled = options && options->scheduled;
	making.record.comment = strdup(options && options->comment ? options->comment : "");
	if (r == 0 && !making.record.comment)
		r = fail_memory(ctx);
	if (r == 0)
		r = make(&making, &record, ahead);
	event_of(ctx, "snapshot", name, r, label);
	record_free(&record);
	if (r == 0 && ret_snapshot)
		return snapshot_make_handle(ctx, name, label, &making.record, ret_snapshot);
	snapshot_record_free(&making.record);
	return r;
}

static int create_once(struct lb_context *ctx, const char *name, const struct lb_snapshot_options *options,
		       struct ahead *ahead, struct lb_snapshot **ret_snapshot)
{
	CLEANUP_FD int fd = container_enter(ctx, name);

	return fd < 0 ? fd : create_locked(ctx, name, fd, options, ahead, ret_snapshot);
}

/*
 * Of one that runs, the lock is left again for what takes long. If it has got another top layer, by a restore or
 * another snapshot while it was stopped, its copy is begun again.
 */
static int create(struct lb_context *ctx, const char *name, const struct lb_snapshot_options *options,
		  struct lb_snapshot **ret_snapshot)
{
	CLEANUP_AHEAD struct ahead ahead = AHEAD_EMPTY;

	for (int i = 0; i < CREATE_TRIES; i++) {
		int r = create_once(ctx, name, options, &ahead, ret_snapshot);

		if (r == 1)
			r = ahead.lock_fd < 0 ? ahead_lock(ctx, name, &ahead) : ahead_copy(ctx, name, &ahead);
		else
			return r;
		if (r < 0)
			return r;
	}
	return fail(ctx, -LB_ERR_BUSY,
		    "container '%s' got another top layer each time that its present one was copied; try again later",
		    name);
}

/* 1 where it is stopped; else it is noted that it is to run again, whatever happens to this process. */
static int note_stop(struct lb_context *ctx, const char *name, struct stopped *stopped)
{
	CLEANUP_FD int fd = container_enter(ctx, name);
	int r = fd < 0 ? fd : container_is_stopped(ctx, name);

	return r == 0 ? stopped_note(ctx, fd, name, stopped) : r;
}

/* Stops it first, and starts it again whatever comes of it. */
static int create_stopped(struct lb_context *ctx, const char *name, const struct lb_snapshot_options *options,
			  struct lb_snapshot **ret_snapshot)
{
	const struct lb_run_options stop = { .size = sizeof stop, .comes_back = true };
	const char *const names[] = { name, NULL };
	CLEANUP_STOPPED struct stopped stopped = STOPPED_EMPTY;
	CLEANUP_FREE char *error = NULL;
	int r = note_stop(ctx, name, &stopped), started;

	if (r == 0)
		r = lb_containers_stop(ctx, names, &stop, NULL, NULL);
	if (r != 0)
		return r < 0 ? r : create(ctx, name, options, ret_snapshot);
	r = create(ctx, name, options, ret_snapshot);
	error = r < 0 ? strdup(ctx->error) : NULL;
	started = lb_containers_start(ctx, names, NULL, NULL, NULL);
	if (started < 0 && r == 0)
		log_message(ctx, LB_LOG_ERROR, "the snapshot is made, but container '%s' did not start again: %s", name,
			    ctx->error);
	return error ? fail(ctx, r, "%s", error) : r;
}

int lb_snapshot_create(struct lb_context *ctx, const char *name, const struct lb_snapshot_options *options,
		       struct lb_snapshot **ret_snapshot)
{
	int r = check_options(ctx, options);

	if (r == 0)
		r = name_check(ctx, "container", name);
	if (r == 0)
		r = rights_require_root(ctx);
	if (r < 0)
		return r;
	return options && options->stop ? create_stopped(ctx, name, options, ret_snapshot)
					: create(ctx, name, options, ret_snapshot);
}
