/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rebasing one container: stopped, running or pending, with a check of its health or without. */
#include "rebase.h"

#include <fcntl.h>
#include <stdio.h>

#include "../container/next.h"
#include "../core/store.h"
#include "../events/event.h"
#include "../snapshot/fold.h"
#include "apply.h"
#include "dpkg-lock.h"
#include "health.h"

enum { STOP_TIMEOUT_S = 60 };

/* ---- what stops a plan ---- */

/* What the operator has said yes to is told, and is no conflict any more. */
static void accept_release(struct lb_rebase *rebase)
{
	for (size_t i = 0; i < rebase->report.count; i++)
		if (rebase->report.items[i].kind == LB_REBASE_RELEASE)
			rebase->report.items[i].outcome = LB_REBASE_REPORTED;
	rebase->report.conflicts -= rebase->other_release;
	rebase->other_release = false;
}

static int refuse_conflicts(struct lb_context *ctx, struct lb_rebase *rebase, const struct lb_rebase_options *options)
{
	const struct lb_rebase_item *item = NULL;
	size_t more;

	if (options->allow_release_change)
		accept_release(rebase);
	more = rebase->report.conflicts;
	if (rebase->other_release)
		return fail(ctx, -LB_ERR_CONFLICT,
			    "%s is another release of the distribution than %s, where container '%s' is: look at the "
			    "plan with "
			    "--dry-run, and give --allow-release-change if that is what you want",
			    rebase->to, rebase->from, rebase->name);
	if (more == 0)
		return 0;
	for (size_t i = 0; i < rebase->report.count && !item; i++)
		if (rebase->report.items[i].outcome == LB_REBASE_CONFLICT)
			item = &rebase->report.items[i];
	return fail(ctx, -LB_ERR_CONFLICT,
		    "container '%s' cannot be rebased from %s to %s: %s %s%s; `layerbox rebase %s --dry-run` shows all "
		    "of it",
		    rebase->name, rebase->from, rebase->to, item ? item->subject : "", item ? item->text : "",
		    more > 1 ? ", and more" : "", rebase->name);
}

/* ---- a container that is locked and stopped ---- */

/* It stands where it shall go: what was pending is so no more. */
static int forget_pending(struct lb_context *ctx, const char *name, int container_fd, struct record *record)
{
	int r = 0;

	if (*record->rebase_to) {
		*record->rebase_to = '\0';
		r = record_write(ctx, container_fd, name, record);
	}
	return r < 0 ? r : 1;
}

static enum plan_fetch whether_to_fetch(const struct lb_rebase_options *options)
{
	return options->fetch ? PLAN_FETCH_NOW : PLAN_FETCH_NOT;
}

int rebase_locked(struct lb_context *ctx, const char *name, int container_fd, struct record *record,
		  const struct lb_rebase_options *options, enum plan_fetch fetch, bool is_refresh,
		  struct lb_rebase **ret_rebase)
{
	int r = rebase_recover(ctx, name, container_fd, record);

	if (r == 0)
		r = plan_make(ctx, name, container_fd, record, options->to, fetch, false, ret_rebase);
	if (r == 1)
		return forget_pending(ctx, name, container_fd, record);
	if (r == 0)
		r = refuse_conflicts(ctx, *ret_rebase, options);
	if (r == 0)
		r = layers_fold(ctx, container_fd, name, record);
	if (r < 0)
		return r;
	(*ret_rebase)->is_refresh = is_refresh;
	return rebase_apply(ctx, container_fd, *ret_rebase, record);
}

/* Leaves it to the next start. */
static int leave_pending(struct lb_context *ctx, const char *name, int container_fd, struct record *record,
			 const struct lb_rebase_options *options, struct lb_rebase **ret_rebase)
{
	int r = plan_make(ctx, name, container_fd, record, options->to, whether_to_fetch(options), false, ret_rebase);

	if (r == 1)
		return forget_pending(ctx, name, container_fd, record);
	if (r == 0)
		r = refuse_conflicts(ctx, *ret_rebase, options);
	if (r)
		return r;
	text_copy(record->rebase_to, sizeof record->rebase_to, (*ret_rebase)->to);
	record->rebase_fetch = options->fetch;
	r = record_write(ctx, container_fd, name, record);
	return r < 0 ? r : REBASE_PENDING;
}

static int refuse_busy_packages(struct lb_context *ctx, const char *name, pid_t pid)
{
	int locked = dpkg_is_locked(pid);

	if (locked <= 0)
		return 0; /* one that is just stopping has no locks */
	return fail(ctx, -LB_ERR_BUSY, "apt or dpkg is at work in container '%s': try again when it has finished",
		    name);
}

/* With the lock: rebases a stopped one, leaves a running one pending, or says that it has to be stopped. */
enum { HAS_TO_STOP = 3 };

static int try_locked(struct lb_context *ctx, const char *name, const struct lb_rebase_options *options,
		      struct lb_rebase **ret_rebase)
{
	CLEANUP(container_cleanup) struct lb_container *container = NULL;
	CLEANUP_FD int fd = container_enter(ctx, name);
	struct record record = { 0 };
	int r = fd < 0 ? fd : record_read(ctx, fd, name, &record);

	if (r < 0)
		return r;
	r = lb_container_open(ctx, name, &container);
	if (r == 0 && container->live.state == LB_STATE_STOPPED)
		r = rebase_locked(ctx, name, fd, &record, options, whether_to_fetch(options), false, ret_rebase);
	else if (r == 0 && !options->restart)
		r = leave_pending(ctx, name, fd, &record, options, ret_rebase);
	else if (r == 0) {
		r = refuse_busy_packages(ctx, name, container->live.pid);
		if (r == 0)
			r = plan_make(ctx, name, fd, &record, options->to, whether_to_fetch(options), false,
				      ret_rebase);
		if (r == 0)
			r = refuse_conflicts(ctx, *ret_rebase, options);
		if (r == 0)
			r = HAS_TO_STOP;
	}
	record_free(&record);
	return r;
}

/* ---- around it ---- */

static int start(struct lb_context *ctx, const char *name)
{
	int r = lb_containers_start(ctx, (const char *const[]){ name, NULL }, NULL, NULL, NULL);

	return r < 0 ? r : 0;
}

static int stop(struct lb_context *ctx, const char *name, bool kill)
{
	const struct lb_run_options options = {
		.size = sizeof options, .timeout_s = STOP_TIMEOUT_S, .kill = kill, .comes_back = true,
	};
	int r = lb_containers_stop(ctx, (const char *const[]){ name, NULL }, &options, NULL, NULL);

	return r < 0 ? r : 0;
}

/* Goes back after a check that failed; its sentence stays, and says how that ended. */
static int go_back(struct lb_context *ctx, const char *name, int result, bool was_running)
{
	char error[ERROR_MAX], why[ERROR_MAX], down[ERROR_MAX];
	int r, started;

	text_copy(error, sizeof error, ctx->error);
	r = stop(ctx, name, true);
	if (r == 0)
		r = lb_rebase_undo(ctx, name);
	text_copy(why, sizeof why, ctx->error);
	/* It ran before: where there is no way back, it runs as it is now. */
	started = was_running ? start(ctx, name) : 0;
	text_copy(down, sizeof down, ctx->error);
	if (r < 0 && started < 0)
		return fail(ctx, result, "%s; and it could not be brought back: %s; and it could not be started: %s",
			    error, why, down);
	if (r < 0)
		return fail(ctx, result, "%s; and it could not be brought back: %s%s", error, why,
			    was_running ? "; it was started again on the new generation" : "");
	if (started < 0)
		return fail(ctx, result, "%s; it is back on the generation where it was, but could not be started: %s",
			    error, down);
	return fail(ctx, result, "%s; it is back on the generation where it was", error);
}

/* Was rebased: brings it up as it was, or looks whether it comes up. */
static int bring_up(struct lb_context *ctx, const char *name, const struct lb_rebase_options *options, bool was_running,
		    bool was_degraded)
{
	int r;

	if (!was_running && !options->health_timeout_s)
		return 0;
	r = start(ctx, name);
	if (!options->health_timeout_s)
		return r;
	if (r == 0)
		r = health_wait(ctx, name, was_degraded, options->health_timeout_s);
	if (r < 0)
		return go_back(ctx, name, r, was_running);
	if (!was_running)
		r = stop(ctx, name, false);
	if (r == 0)
		r = lb_rebase_confirm(ctx, name);
	return r < 0 ? r : 0;
}

/* Was stopped and not rebased, by @result: it was to come back in any case. */
static int start_again(struct lb_context *ctx, const char *name, int result)
{
	char error[ERROR_MAX], why[ERROR_MAX];
	int r;

	text_copy(error, sizeof error, ctx->error);
	r = start(ctx, name);
	text_copy(why, sizeof why, ctx->error);
	if (r >= 0) {
		text_copy(ctx->error, sizeof ctx->error, error);
		return result;
	}
	if (result >= 0)
		return fail(ctx, r, "container '%s' stands where it shall go, but could not be started again: %s", name,
			    why);
	return fail(ctx, result, "%s; and it could not be started again: %s", error, why);
}

int rebase_one(struct lb_context *ctx, const char *name, const struct lb_rebase_options *options,
	       struct lb_rebase **ret_rebase)
{
	bool was_degraded = false, was_running;
	int r;

	*ret_rebase = NULL;
	if (options->dry_run) {
		r = plan_only(ctx, name, options->to, options->fetch ? PLAN_FETCH_LATER : PLAN_FETCH_NOT, ret_rebase);
		if (r >= 0 && options->allow_release_change)
			accept_release(*ret_rebase);
		return r;
	}
	r = try_locked(ctx, name, options, ret_rebase);
	was_running = r == HAS_TO_STOP;
	if (was_running) {
		was_degraded = options->health_timeout_s && health_is_degraded(ctx, name);
		lb_rebase_free(TAKE_PTR(*ret_rebase));
		r = stop(ctx, name, false);
		if (r == 0)
			r = try_locked(ctx, name, options, ret_rebase);
		if (r == HAS_TO_STOP)
			return fail(ctx, -LB_ERR_BUSY, "container '%s' was started again by somebody else: try again",
				    name);
		if (r != 0)
			return start_again(ctx, name, r);
	}
	return r == 0 ? bring_up(ctx, name, options, was_running, was_degraded) : r;
}

void rebase_tell(struct lb_context *ctx, const char *name, int result, const struct lb_rebase *rebase)
{
	CLEANUP_FREE char *way = rebase ? text_format("from %s to %s", rebase->from, rebase->to) : NULL;

	event_of(ctx, "rebase", name, result, way ? way : "");
}

/* ---- confirming and undoing ---- */

static int with_record(struct lb_context *ctx, const char *name, bool stopped,
		       int (*fn)(struct lb_context *ctx, const char *name, int container_fd, struct record *record))
{
	CLEANUP_FD int fd = container_enter(ctx, name);
	struct record record = { 0 };
	int r = fd < 0 ? fd : record_read(ctx, fd, name, &record);

	if (r == 0 && stopped)
		r = container_require_stopped(ctx, name, "stop it first");
	if (r == 0)
		r = rebase_recover(ctx, name, fd, &record);
	if (r == 0)
		r = fn(ctx, name, fd, &record);
	record_free(&record);
	return r;
}

static int undo(struct lb_context *ctx, const char *name)
{
	return with_record(ctx, name, true, rebase_take_back);
}

int lb_rebase_undo(struct lb_context *ctx, const char *name)
{
	return event_of(ctx, "undo", name, undo(ctx, name), "");
}

static int confirm(struct lb_context *ctx, const char *name)
{
	return with_record(ctx, name, false, rebase_settle);
}

int lb_rebase_confirm(struct lb_context *ctx, const char *name)
{
	return event_of(ctx, "confirm", name, confirm(ctx, name), "");
}
