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
#include "make.h"

enum { LABEL_TRIES = 1000 };

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
	if (r == 0 && options && options->expires < 0)
		r = fail(ctx, -LB_ERR_BAD_VALUE, "a snapshot cannot expire before 1970");
	return r;
}

/* The top layer has to stay where it is while a rebase can be undone: the way back speaks of its files. */
static int make(struct making *making, struct record *record)
{
	int stopped = container_is_stopped(making->ctx, making->name), r;

	if (stopped < 0)
		return stopped;
	if (!stopped)
		return make_copy(making, record, true);
	r = rebase_recover(making->ctx, making->name, making->container_fd, record);
	if (r < 0)
		return r;
	return *record->rebased_from ? make_copy(making, record, false) : make_cold(making, record, NULL);
}

static int create_locked(struct lb_context *ctx, const char *name, int container_fd,
			 const struct lb_snapshot_options *options, struct lb_snapshot **ret_snapshot)
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
		r = make(&making, &record);
	event_of(ctx, "snapshot", name, r, label);
	record_free(&record);
	if (r == 0 && ret_snapshot)
		return snapshot_make_handle(ctx, name, label, &making.record, ret_snapshot);
	snapshot_record_free(&making.record);
	return r;
}

static int create(struct lb_context *ctx, const char *name, const struct lb_snapshot_options *options,
		  struct lb_snapshot **ret_snapshot)
{
	CLEANUP_FD int fd = container_lock(ctx, name);

	return fd < 0 ? fd : create_locked(ctx, name, fd, options, ret_snapshot);
}

/* Stops it first, and starts it again whatever comes of it. */
static int create_stopped(struct lb_context *ctx, const char *name, const struct lb_snapshot_options *options,
			  struct lb_snapshot **ret_snapshot)
{
	const struct lb_run_options stop = { .size = sizeof stop, .comes_back = true };
	const char *const names[] = { name, NULL };
	CLEANUP_FREE char *error = NULL;
	int stopped = lb_containers_stop(ctx, names, &stop, NULL, NULL);
	int r = stopped < 0 ? stopped : create(ctx, name, options, ret_snapshot), started;

	if (stopped != 0)
		return r;
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
