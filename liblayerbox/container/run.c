/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting and stopping, freezing and thawing, one container or many. */
#include <stdio.h>

#include "../adapters/cgroup.h"
#include "../adapters/rights.h"
#include "../adapters/runtime.h"
#include "../core/store.h"
#include "../network/guests.h"
#include "../network/network.h"
#include "../network/reservation.h"
#include "../rebase/rebase.h"
#include "../snapshot/layer.h"
#include "../snapshot/stopped.h"
#include "../stream/moving.h"
#include "../util/spawn.h"
#include "cgroup-sweep.h"
#include "container.h"
#include "id-range.h"
#include "next.h"
#include "readdress.h"
#include "rename.h"
#include "render.h"
#include "revive.h"
#include "uplink.h"

enum { TIMEOUT_DEFAULT_S = 60, JOBS_MAX = 64 };

struct verb;

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
	struct member *members;
	size_t count, next;           /* members before next have been given to the helper, or are reported */
	lb_result_fn fn;
	void *userdata;
	int first_failure;
	char first_error[ERROR_MAX];
	bool changed;
};

/* Reports one result, and gives the container free again. */
static void member_done(struct batch *batch, struct member *member, int result, const char *error)
{
	member->reported = true;
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
	return 0;
}

/* ---------------------------------------------------------------------------- what comes before each */

/* Where a monitor was killed a moment ago its veth is still there, and LXC would fail to make one of that name. */
static void delete_leftover(struct lb_context *ctx, const struct record *record)
{
	CLEANUP_TEXT_LIST struct text_list ports = { 0 };
	char port[PORT_NAME_SIZE];

	uplink_name(ctx, record, port);
	if (text_list_add(&ports, port) == 0)
		uplink_delete(ctx, &ports);
}

/* What it was started with before is mounted no more. */
static int forget_mounted(struct lb_context *ctx, const struct member *member, struct record *record)
{
	int r;

	if (!record->mounted_layers.count)
		return 0;
	record->mounted_layers.count = 0;
	r = layers_sweep_later(ctx);
	return r < 0 ? r : record_write(ctx, member->lock_fd, member->name, record);
}

/* Makes a stopped container, which is locked until it has been started, ready for that. */
static int make_ready(struct lb_context *ctx, const struct member *member)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	struct record record = { 0 };
	int r = record_read(ctx, member->lock_fd, member->name, &record);

	if (r < 0)
		return r;
	r = moving_before_start(ctx, member->lock_fd, member->name, true);
	if (r == 0 && *record.renamed_from)
		r = rename_finish(ctx, member->name, member->lock_fd, &record);
	if (r == 0 && *record.ipv4_before)
		r = readdress_finish(ctx, member->name, member->lock_fd, &record);
	if (r == 0)
		r = forget_mounted(ctx, member, &record);
	if (r == 0)
		r = rebase_before_start(ctx, member->name, member->lock_fd, &record);
	if (r == 0)
		r = network_require(ctx, record.identity.network);
	if (r == 0)
		r = rights_require_kernel(ctx, !record.privileged);
	if (r == 0 && record.id_count)
		r = id_range_ensure(ctx, record.id_start, record.id_count);
	if (r == 0)
		r = render_config(ctx, member->lock_fd, member->name, &record);
	if (r >= 0)
		r = network_plan_make(ctx, record.identity.network, &plan);
	if (r == 0)
		r = reservation_before_start(ctx, &plan, member->name, &record.identity);
	if (r == 0)
		r = guests_admit(ctx, &plan, member->name, &record);
	if (r >= 0)
		delete_leftover(ctx, &record);
	record_free(&record);
	return r < 0 ? r : 0;
}

/* 1 when it runs; 0 when it is ready. */
static int prepare_start(struct lb_context *ctx, const struct member *member)
{
	int stopped = container_is_stopped(ctx, member->name);

	if (stopped <= 0)
		return stopped < 0 ? stopped : 1;
	return make_ready(ctx, member);
}

/* 1 when it is stopped. */
static int prepare_stop(struct lb_context *ctx, const struct member *member)
{
	int stopped = container_is_stopped(ctx, member->name);

	if (stopped == 1)
		stopped_forget(member->lock_fd);
	return stopped;
}

static int prepare_freeze(struct lb_context *ctx, const struct member *member)
{
	int stopped = container_is_stopped(ctx, member->name);

	return stopped > 0 ? fail(ctx, -LB_ERR_NOT_RUNNING, "container '%s' is not running", member->name) : stopped;
}

/* Each verb of the helper's, and what comes before it: 0 to go on, 1 when there is nothing to do. */
static const struct verb {
	const char *name;
	int (*prepare)(struct lb_context *ctx, const struct member *member);
} start_verb = { "start", prepare_start }, stop_verb = { "stop", prepare_stop }, kill_verb = { "kill", prepare_stop },
  freeze_verb = { "freeze", prepare_freeze }, thaw_verb = { "thaw", prepare_freeze };

/* Afterwards the member is ready, or reported. */
static void prepare_member(struct batch *batch, struct member *member)
{
	struct lb_context *ctx = batch->ctx;
	int r = name_check(ctx, "container", member->name);

	if (r == 0) {
		member->lock_fd = container_lock(ctx, member->name);
		r = member->lock_fd < 0 ? member->lock_fd : batch->verb->prepare(ctx, member);
	}
	if (r == 0)
		member->ready = true;
	else
		member_done(batch, member, r, ctx->error);
}

/*
 * The veths of containers that are about to be killed go first and together, so all are made ready before the first is
 * killed: LXC deletes one after the other, and the kernel lets nobody else change the network during each.
 */
static void delete_uplinks(struct batch *batch)
{
	CLEANUP_TEXT_LIST struct text_list ports = { 0 };

	if (batch->count < 2)
		return;
	for (size_t i = 0; i < batch->count; i++) {
		struct member *member = &batch->members[i];
		struct record record = { 0 };
		char port[PORT_NAME_SIZE];

		prepare_member(batch, member);
		if (!member->ready || record_read(batch->ctx, member->lock_fd, member->name, &record) < 0)
			continue;
		uplink_name(batch->ctx, &record, port);
		record_free(&record);
		if (text_list_add(&ports, port) < 0)
			return;
	}
	uplink_delete(batch->ctx, &ports);
}

/* ------------------------------------------------------------------------------------ the whole call */

/* For the helper: makes members ready, where they are not, until it has one for it. */
static const char *next_ready(void *userdata)
{
	struct batch *batch = userdata;

	while (batch->next < batch->count) {
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
		.timeout_s = options && options->timeout_s ? options->timeout_s : TIMEOUT_DEFAULT_S,
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
	free(batch->members);
	if (batch->first_failure)
		return fail(batch->ctx, batch->first_failure, "%s", batch->first_error);
	return batch->changed ? 0 : 1;
}

static int run_verb(struct lb_context *ctx, const struct verb *verb, const char *const *names,
		    const struct lb_run_options *options, lb_result_fn fn, void *userdata)
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
	if (verb == &start_verb) {
		hastening = cgroup_hasten();
		sweep_cgroups_of(ctx, names);
		/* It may take the root's lock, which comes before those of containers. */
		revive_networks_of(ctx, names);
	}
	if (verb == &kill_verb)
		delete_uplinks(&batch);
	r = batch_run(&batch, options);
	if (hastening)
		spawn_wait(hastening, &status);
	/* LXC leaves the group that its monitors pass through when they end. */
	if (verb == &stop_verb || verb == &kill_verb)
		sweep_cgroups(ctx);
	return r;
}

int lb_containers_start(struct lb_context *ctx, const char *const *names, const struct lb_run_options *options,
			lb_result_fn fn, void *userdata)
{
	return run_verb(ctx, &start_verb, names, options, fn, userdata);
}

int lb_containers_stop(struct lb_context *ctx, const char *const *names, const struct lb_run_options *options,
		       lb_result_fn fn, void *userdata)
{
	return run_verb(ctx, options && options->kill ? &kill_verb : &stop_verb, names, options, fn, userdata);
}

/* --------------------------------------------------------------------------------------- one only */

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
	return run_verb(container->ctx, &freeze_verb, (const char *const[]){ container->name, NULL }, NULL, NULL, NULL);
}

int lb_container_thaw(struct lb_container *container)
{
	return run_verb(container->ctx, &thaw_verb, (const char *const[]){ container->name, NULL }, NULL, NULL, NULL);
}
