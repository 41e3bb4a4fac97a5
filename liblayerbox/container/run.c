/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting and stopping, freezing and thawing, one container or many. */
#include <stdio.h>

#include "../adapters/rights.h"
#include "../adapters/runtime.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../network/network.h"
#include "../network/reservation.h"
#include "cgroup-sweep.h"
#include "container.h"
#include "id-range.h"
#include "rename.h"
#include "render.h"

enum { TIMEOUT_DEFAULT_S = 60, JOBS_MAX = 64 };

/* One container of a call over many, from its lock to its result. */
struct member {
	const char *name;
	int lock_fd;
	bool reported;
};

struct batch {
	struct lb_context *ctx;
	struct member *members;
	size_t count;
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

static int batch_open(struct lb_context *ctx, const char *const *names, lb_result_fn fn, void *userdata,
		      struct batch *batch)
{
	*batch = (struct batch){ .ctx = ctx, .fn = fn, .userdata = userdata };
	while (names[batch->count])
		batch->count++;
	batch->members = calloc(batch->count + 1, sizeof *batch->members);
	if (!batch->members)
		return fail_memory(ctx);
	for (size_t i = 0; i < batch->count; i++)
		batch->members[i] = (struct member){ .name = names[i], .lock_fd = -1 };
	return 0;
}

/* Has the helper do @verb for all that are prepared; then the whole call's result. */
static int batch_run(struct batch *batch, const char *verb, const struct lb_run_options *options)
{
	unsigned jobs = options && options->jobs ? options->jobs : 2 * (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	unsigned timeout_s = options && options->timeout_s ? options->timeout_s : TIMEOUT_DEFAULT_S;
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FREE char *lxcpath = store_path(batch->ctx, STORE_CONTAINERS);
	int r = lxcpath ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < batch->count; i++)
		if (!batch->members[i].reported)
			r = text_list_add(&names, batch->members[i].name);
	if (r < 0)
		r = fail_memory(batch->ctx);
	else if (names.count)
		r = runtime_run(batch->ctx, lxcpath, verb, (const char *const *)names.items, jobs > JOBS_MAX ? JOBS_MAX : jobs,
				timeout_s, on_result, batch);
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

/* ----------------------------------------------------------------------------------------- start */

/* 1 when it runs; 0 when it is ready to be started, and locked until it has been. */
static int prepare_start(struct lb_context *ctx, struct member *member)
{
	struct record record = { 0 };
	char base_name[NAME_LENGTH_MAX + 16];
	struct lb_base *base = NULL;
	int r = name_check(ctx, "container", member->name);

	if (r < 0)
		return r;
	member->lock_fd = lock_container(ctx, member->name);
	if (member->lock_fd < 0)
		return member->lock_fd;
	r = container_is_stopped(ctx, member->name);
	if (r <= 0)
		return r < 0 ? r : 1;
	r = record_read(ctx, member->lock_fd, member->name, &record);
	if (r < 0)
		return r;
	if (*record.renamed_from)
		r = rename_finish(ctx, member->name, member->lock_fd, &record);
	snprintf(base_name, sizeof base_name, "%s@%u", record.base, record.generation);
	if (r == 0)
		r = rights_require_kernel(ctx, !record.privileged);
	if (r == 0)
		r = base_open(ctx, base_name, &base);
	if (r == 0 && record.id_count)
		r = id_range_ensure(ctx, record.id_start, record.id_count);
	if (r == 0)
		r = render_config(ctx, member->lock_fd, member->name, &record, base);
	if (r >= 0)
		r = reservation_write(ctx, member->name, &record.identity);
	lb_base_free(base);
	record_free(&record);
	return r < 0 ? r : 0;
}

int lb_containers_start(struct lb_context *ctx, const char *const *names, const struct lb_run_options *options,
			lb_result_fn fn, void *userdata)
{
	struct batch batch;
	int r = CHECK_INPUT(ctx, options, lb_run_options);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = store_open(ctx);
	if (r == 0)
		r = network_require(ctx);
	if (r == 0)
		r = batch_open(ctx, names, fn, userdata, &batch);
	if (r < 0)
		return r;
	/* After a killed monitor its empty groups are still there, and LXC would put a suffix on the next ones. */
	sweep_cgroups(ctx);
	for (size_t i = 0; i < batch.count; i++) {
		r = prepare_start(ctx, &batch.members[i]);
		if (r != 0)
			member_done(&batch, &batch.members[i], r, ctx->error);
	}
	return batch_run(&batch, "start", options);
}

/* -------------------------------------------------------------------------------- stop and others */

static int prepare_other(struct lb_context *ctx, struct member *member)
{
	int r = name_check(ctx, "container", member->name);

	if (r < 0)
		return r;
	member->lock_fd = lock_container(ctx, member->name);
	return member->lock_fd < 0 ? member->lock_fd : 0;
}

static int run_others(struct lb_context *ctx, const char *verb, const char *const *names,
		      const struct lb_run_options *options, lb_result_fn fn, void *userdata)
{
	bool stopping = text_equal(verb, "stop") || text_equal(verb, "kill");
	struct batch batch;
	int r = CHECK_INPUT(ctx, options, lb_run_options);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = store_open(ctx);
	if (r == 0)
		r = batch_open(ctx, names, fn, userdata, &batch);
	if (r < 0)
		return r;
	for (size_t i = 0; i < batch.count; i++) {
		struct member *member = &batch.members[i];

		r = prepare_other(ctx, member);
		if (r == 0) {
			r = container_is_stopped(ctx, member->name);
			if (r > 0 && !stopping)
				r = fail(ctx, -LB_ERR_NOT_RUNNING, "container '%s' is not running", member->name);
		}
		if (r != 0)
			member_done(&batch, member, r, ctx->error);
	}
	r = batch_run(&batch, verb, options);
	if (stopping)
		sweep_cgroups(ctx); /* LXC leaves the group that its monitors pass through when they end */
	return r;
}

int lb_containers_stop(struct lb_context *ctx, const char *const *names, const struct lb_run_options *options,
		       lb_result_fn fn, void *userdata)
{
	return run_others(ctx, options && options->kill ? "kill" : "stop", names, options, fn, userdata);
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
	return run_others(container->ctx, "freeze", (const char *const[]){ container->name, NULL }, NULL, NULL, NULL);
}

int lb_container_thaw(struct lb_container *container)
{
	return run_others(container->ctx, "thaw", (const char *const[]){ container->name, NULL }, NULL, NULL, NULL);
}
