/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting and stopping, freezing and thawing, one container or many. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../adapters/cgroup.h"
#include "../adapters/rights.h"
#include "../adapters/runtime.h"
#include "../core/store.h"
#include "../events/event.h"
#include "../snapshot/stopped.h"
#include "../stream/moving.h"
#include "../util/clock.h"
#include "../util/spawn.h"
#include "cgroup-sweep.h"
#include "container.h"
#include "layout.h"
#include "next.h"
#include "prepare.h"
#include "revive.h"
#include "run.h"
#include "uplink.h"

enum { STOP_TIMEOUT_S = 60, START_TIMEOUT_S = 120, JOBS_MAX = 64 };

struct batch;
struct member;

/* Each verb of the helper's, and what comes before it: 0 to go on, 1 when there is nothing to do. */
struct verb {
	const char *name;
	int (*prepare)(struct batch *batch, const struct member *member);
	/* What is written down of it that went well, or had been done, under the same lock; NULL: nothing. */
	int (*note)(struct lb_context *ctx, int container_fd, const char *name);
	unsigned timeout_s;           /* unless the caller says otherwise */
	bool stops;
};

/* One container of a call over many, from its lock to its result. */
struct member {
	const char *name;
	int lock_fd;
	bool ready;
	bool reported;
};

struct batch {
	struct lb_context *ctx;
	const struct verb *verb;
	bool at_once;                 /* nobody's lock is waited for */
	bool comes_back;              /* who is stopped is not meant to stay so */
	const struct run_condition *condition; /* NULL: none */
	struct member *members;
	size_t count, next, end;      /* members before next have been given to the helper, or are reported; end is next's */
	struct link_deletion uplinks; /* goes on while they are killed */
	lb_result_fn fn;
	void *userdata;
	int first_failure;
	char first_error[ERROR_MAX];
	bool changed;
};

/*
 * A file says that somebody stopped the container, so that the supervisor leaves it alone. It is there before it stops,
 * and never synced: after a power cut nobody asks for it. Its time says when that was.
 */
static void mark_stopped(const struct member *member)
{
	CLEANUP_FD int fd = openat(member->lock_fd, LAYOUT_STOPPED, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0)
		futimens(fd, NULL);
}

static void unmark_stopped(const struct member *member)
{
	if (member->lock_fd >= 0)
		unlinkat(member->lock_fd, LAYOUT_STOPPED, 0);
}

/*
 * Who did not want to wait for somebody's lock tries once more. What is done on a condition nobody has asked for just
 * now: the container may be gone since, by its deletion or to another name.
 */
static bool is_told(const struct batch *batch, int result)
{
	if (batch->at_once && result == -LB_ERR_BUSY)
		return false;
	return !batch->condition || result != -LB_ERR_NO_CONTAINER;
}

/* Reports one result, and gives the container free again. */
static void member_done(struct batch *batch, struct member *member, int result, const char *error)
{
	member->reported = true;
	if (result >= 0 && batch->verb->note && batch->verb->note(batch->ctx, member->lock_fd, member->name) < 0)
		log_message(batch->ctx, LB_LOG_WARNING, "%s", batch->ctx->error);
	if (is_told(batch, result))
		event_tell(batch->ctx, batch->verb->name, member->name, result, result < 0 ? error : "");
	/* One that did not end in time may do so later: it was meant to. */
	if (result < 0 && result != -LB_ERR_TIMEOUT && batch->verb->stops && !batch->comes_back)
		unmark_stopped(member);
	close_fd(take_fd(&member->lock_fd));
	if (result < 0 && !batch->first_failure) {
		batch->first_failure = result;
		text_copy(batch->first_error, sizeof batch->first_error, error);
	}
	if (result == 0)
		batch->changed = true;
	if (batch->fn)
		batch->fn(member->name, result, result < 0 ? error : "", batch->userdata);
}

static void on_result(const char *name, int result, const char *text, void *userdata)
{
	struct batch *batch = userdata;

	for (size_t i = 0; i < batch->count; i++) {
		struct member *member = &batch->members[i];

		if (member->reported || member->lock_fd < 0 || !text_equal(member->name, name))
			continue;
		if (result < 0)
			fail(batch->ctx, result, "container '%s': %s", name, text);
		member_done(batch, member, result, batch->ctx->error);
		return;
	}
}

static int batch_open(struct lb_context *ctx, const struct verb *verb, const char *const *names, lb_result_fn fn,
		      void *userdata, struct batch *batch)
{
	size_t count = 0;

	*batch = (struct batch){ .ctx = ctx, .verb = verb, .fn = fn, .userdata = userdata };
	while (names[count])
		count++;
	batch->members = calloc(count + 1, sizeof *batch->members);
	if (!batch->members)
		return fail_memory(ctx);
	for (; *names; names++) {
		bool again = false;

		/* One that is named twice would wait for its own lock. */
		for (size_t i = 0; i < batch->count; i++)
			again = again || text_equal(batch->members[i].name, *names);
		if (!again)
			batch->members[batch->count++] = (struct member){ .name = *names, .lock_fd = -1 };
	}
	batch->end = batch->count;
	return 0;
}

/* ---------------------------------------------------------------------------- what comes before each */

/* 1 when it runs; 0 when it is ready. */
static int prepare_start(struct batch *batch, const struct member *member)
{
	int stopped = container_is_down(batch->ctx, member->name);

	unmark_stopped(member);
	if (stopped <= 0)
		return stopped < 0 ? stopped : 1;
	return prepare_for_start(batch->ctx, member->name, member->lock_fd);
}

/* Nobody need ask whether it runs: its monitor is told to kill it. */
static int prepare_kill(struct batch *batch, const struct member *member)
{
	if (!batch->comes_back)
		mark_stopped(member);
	stopped_forget(member->lock_fd);
	return 0;
}

/* 1 when it is stopped. */
static int prepare_stop(struct batch *batch, const struct member *member)
{
	prepare_kill(batch, member);
	return container_is_stopped(batch->ctx, member->name);
}

static int prepare_freeze(struct batch *batch, const struct member *member)
{
	int stopped = container_is_stopped(batch->ctx, member->name);

	return stopped > 0 ? fail(batch->ctx, -LB_ERR_NOT_RUNNING, "container '%s' is not running", member->name) :
			     stopped;
}

static const struct verb start_verb = { .name = "start", .prepare = prepare_start, .note = moving_started,
					.timeout_s = START_TIMEOUT_S },
			 stop_verb = { .name = "stop", .prepare = prepare_stop, .timeout_s = STOP_TIMEOUT_S, .stops = true },
			 kill_verb = { .name = "kill", .prepare = prepare_kill, .timeout_s = STOP_TIMEOUT_S, .stops = true },
			 freeze_verb = { .name = "freeze", .prepare = prepare_freeze },
			 thaw_verb = { .name = "thaw", .prepare = prepare_freeze };

/* Afterwards the member is ready, or reported. */
static void prepare_member(struct batch *batch, struct member *member)
{
	struct lb_context *ctx = batch->ctx;
	int r = name_check(ctx, "container", member->name);

	if (r == 0) {
		member->lock_fd = batch->at_once ? container_lock_at_once(ctx, member->name) :
						   container_lock(ctx, member->name);
		r = member->lock_fd < 0 ? member->lock_fd : 0;
	}
	if (r == 0 && batch->condition)
		r = batch->condition->may(ctx, member->lock_fd, member->name, batch->condition->userdata);
	if (r == 0)
		r = batch->verb->prepare(batch, member);
	if (r == 0)
		member->ready = true;
	else
		member_done(batch, member, r, ctx->error);
}

/*
 * Makes the next of them ready together, since the veths of those that are about to be killed go first and at once: LXC
 * deletes one after the other, and the kernel lets nobody else change the network during each.
 */
static bool prepare_kills(void *userdata, size_t count)
{
	CLEANUP_TEXT_LIST struct text_list ports = { 0 };
	struct batch *batch = userdata;

	batch->end = batch->count - batch->next > count ? batch->next + count : batch->count;
	for (size_t i = batch->next; i < batch->end; i++) {
		struct member *member = &batch->members[i];
		struct record record = { 0 };
		char port[PORT_NAME_SIZE];

		prepare_member(batch, member);
		if (!member->ready || record_read(batch->ctx, member->lock_fd, member->name, &record) < 0)
			continue;
		uplink_name(batch->ctx, &record, port);
		record_free(&record);
		if (text_list_add(&ports, port) < 0)
			break;
	}
	uplink_delete_end(batch->ctx, &batch->uplinks);
	if (ports.count > 1)
		uplink_delete_begin(batch->ctx, &ports, &batch->uplinks);
	return batch->end < batch->count;
}

/* ------------------------------------------------------------------------------------ the whole call */

/* For the helper: makes members ready, where they are not, until it has one for it. */
static const char *next_ready(void *userdata)
{
	struct batch *batch = userdata;

	while (batch->next < batch->end) {
		struct member *member = &batch->members[batch->next++];

		if (!member->ready && !member->reported)
			prepare_member(batch, member);
		if (member->ready)
			return member->name;
	}
	return NULL;
}

/* Has the helper do what the verb says, for one member after the other; then the whole call's result. */
static int batch_run(struct batch *batch, const struct lb_run_options *options)
{
	unsigned jobs = options && options->jobs ? options->jobs : 2 * (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	CLEANUP_FREE char *lxcpath = store_path(batch->ctx, STORE_CONTAINERS);
	const struct runtime_task task = {
		.verb = batch->verb->name,
		.lxcpath = lxcpath,
		.count = batch->count,
		.jobs = jobs > JOBS_MAX ? JOBS_MAX : jobs,
		.timeout_s = options && options->timeout_s ? options->timeout_s : batch->verb->timeout_s,
		.end_ms = options && options->deadline_s ? clock_ms() + (int64_t)options->deadline_s * 1000 : 0,
		.begin = prepare_kills,
		.next = next_ready,
		.fn = on_result,
		.userdata = batch,
	};
	int r = 0;

	if (batch->count)
		r = lxcpath ? runtime_run(batch->ctx, &task) : fail_memory(batch->ctx);
	if (r == 0)
		r = fail(batch->ctx, -LB_ERR_RUNTIME, "the helper program ended without a result");
	for (size_t i = 0; i < batch->count; i++)
		if (!batch->members[i].reported)
			member_done(batch, &batch->members[i], r, batch->ctx->error);
	uplink_delete_end(batch->ctx, &batch->uplinks);
	free(batch->members);
	if (batch->first_failure)
		return fail(batch->ctx, batch->first_failure, "%s", batch->first_error);
	return batch->changed ? 0 : 1;
}

static int run_verb_if(struct lb_context *ctx, const struct verb *verb, const char *const *names,
		       const struct lb_run_options *options, bool at_once, const struct run_condition *condition,
		       lb_result_fn fn, void *userdata)
{
	struct batch batch;
	pid_t hastening = 0;
	int status, r = CHECK_INPUT(ctx, options, lb_run_options);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = store_open(ctx);
	if (r == 0)
		r = batch_open(ctx, verb, names, fn, userdata, &batch);
	if (r < 0)
		return r;
	batch.at_once = at_once;
	batch.comes_back = options && options->comes_back;
	batch.condition = condition;
	if (verb == &start_verb || verb == &kill_verb)
		hastening = cgroup_hasten();
	if (verb == &start_verb) {
		sweep_cgroups_of(ctx, names);
		/* It may take the root's lock, which comes before those of containers. */
		revive_networks_of(ctx, names);
	}
	r = batch_run(&batch, options);
	if (hastening)
		spawn_wait(hastening, &status);
	/* LXC leaves the group that its monitors pass through when they end. */
	if (verb->stops)
		sweep_cgroups(ctx);
	return r;
}

static int run_verb(struct lb_context *ctx, const struct verb *verb, const char *const *names,
		    const struct lb_run_options *options, bool at_once, lb_result_fn fn, void *userdata)
{
	return run_verb_if(ctx, verb, names, options, at_once, NULL, fn, userdata);
}

int lb_containers_start(struct lb_context *ctx, const char *const *names, const struct lb_run_options *options,
			lb_result_fn fn, void *userdata)
{
	return run_verb(ctx, &start_verb, names, options, false, fn, userdata);
}

int containers_start_at_once(struct lb_context *ctx, const char *const *names, const struct lb_run_options *options,
			     lb_result_fn fn, void *userdata)
{
	return run_verb(ctx, &start_verb, names, options, true, fn, userdata);
}

static int stop(struct lb_context *ctx, const char *const *names, const struct lb_run_options *options, bool at_once,
		lb_result_fn fn, void *userdata)
{
	const struct verb *verb = options && options->kill ? &kill_verb : &stop_verb;

	return run_verb(ctx, verb, names, options, at_once, fn, userdata);
}

int lb_containers_stop(struct lb_context *ctx, const char *const *names, const struct lb_run_options *options,
		       lb_result_fn fn, void *userdata)
{
	return stop(ctx, names, options, false, fn, userdata);
}

int containers_stop_at_once(struct lb_context *ctx, const char *const *names, const struct lb_run_options *options,
			    lb_result_fn fn, void *userdata)
{
	return stop(ctx, names, options, true, fn, userdata);
}

/* --------------------------------------------------------------------------------------- one only */

int container_stop_if(struct lb_context *ctx, const char *name, const struct run_condition *condition)
{
	const struct lb_run_options options = { .size = sizeof options, .comes_back = true };

	return run_verb_if(ctx, &stop_verb, (const char *const[]){ name, NULL }, &options, true, condition, NULL, NULL);
}

int container_start_if(struct lb_context *ctx, const char *name, const struct run_condition *condition)
{
	return run_verb_if(ctx, &start_verb, (const char *const[]){ name, NULL }, NULL, true, condition, NULL, NULL);
}

int lb_container_start(struct lb_container *container, const struct lb_run_options *options)
{
	return lb_containers_start(container->ctx, (const char *const[]){ container->name, NULL }, options, NULL, NULL);
}

int lb_container_stop(struct lb_container *container, const struct lb_run_options *options)
{
	return lb_containers_stop(container->ctx, (const char *const[]){ container->name, NULL }, options, NULL, NULL);
}

int lb_container_freeze(struct lb_container *container)
{
	return run_verb(container->ctx, &freeze_verb, (const char *const[]){ container->name, NULL }, NULL, false, NULL,
			NULL);
}

int lb_container_thaw(struct lb_container *container)
{
	return run_verb(container->ctx, &thaw_verb, (const char *const[]){ container->name, NULL }, NULL, false, NULL,
			NULL);
}
