/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rebasing many: the canary first, then several at a time, each in a thread with a context of its own. */
#include <stdio.h>

#include "../adapters/rights.h"
#include "../util/array.h"
#include "../util/thread.h"
#include "rebase.h"

enum { JOBS_MAX = 64 };

/* A line for the log, from a thread that has no log of its own. */
struct remark {
	enum lb_log_level level;
	char *text;
};

struct result {
	const char *name;
	int code;
	char *error;
	struct lb_rebase *rebase;
	struct remark *remarks;
	size_t remark_count, remark_capacity;
};

struct fleet {
	struct lb_context *ctx;
	const struct lb_rebase_options *options;
	const char *const *names;
	lb_rebase_fn fn;
	void *userdata;
	int first_failure;
	char first_error[ERROR_MAX];
	bool changed;

	pthread_mutex_t mutex;
	pthread_cond_t done;
	size_t next, count;
	size_t at_work;               /* threads */
	struct result *results;       /* those that wait to be told */
	size_t waiting;
};

/* ---- telling, in the caller's thread ---- */

static void tell_remarks(struct fleet *fleet, struct result *result)
{
	for (size_t i = 0; i < result->remark_count; i++) {
		log_message(fleet->ctx, result->remarks[i].level, "%s", result->remarks[i].text);
		free(result->remarks[i].text);
	}
	free(result->remarks);
}

static void tell(struct fleet *fleet, struct result *result)
{
	tell_remarks(fleet, result);
	if (result->code < 0 && !fleet->first_failure) {
		fleet->first_failure = result->code;
		text_copy(fleet->first_error, sizeof fleet->first_error,
			  result->error ? result->error : "out of memory");
	}
	fleet->changed = fleet->changed || result->code == 0 || result->code == REBASE_PENDING;
	if (fleet->fn)
		fleet->fn(result->name, result->code, result->code < 0 && result->error ? result->error : "",
			  result->rebase, fleet->userdata);
	lb_rebase_free(result->rebase);
	free(result->error);
}

/* ---- the threads ---- */

static void work(struct fleet *fleet, struct lb_context *ctx, struct result *result)
{
	result->code = rebase_one(ctx, result->name, fleet->options, &result->rebase);
	if (!fleet->options->dry_run)
		rebase_tell(ctx, result->name, result->code, result->rebase);
	if (result->code < 0)
		result->error = strdup(lb_context_error(ctx));
}

static void on_log(enum lb_log_level level, const char *message, void *userdata)
{
	struct result *result = userdata;
	struct remark *remarks =
		array_grow(result->remarks, result->remark_count, &result->remark_capacity, sizeof *remarks);
	char *text = strdup(message);

	if (remarks)
		result->remarks = remarks;
	if (remarks && text)
		remarks[result->remark_count++] = (struct remark){ .level = level, .text = text };
	else
		free(text);
}

/* In a context that no other thread uses; what it has to say is kept until the result is told. */
static struct result work_apart(struct fleet *fleet, struct lb_context *ctx, const char *name)
{
	struct result result = { .name = name };

	lb_context_set_log(ctx, on_log, &result);
	work(fleet, ctx, &result);
	lb_context_set_log(ctx, NULL, NULL);
	return result;
}

/* A thread for which there is no memory leaves its share to the others. */
static void *work_off(void *data)
{
	struct fleet *fleet = data;
	struct lb_context *ctx = context_copy(fleet->ctx);

	pthread_mutex_lock(&fleet->mutex);
	while (ctx && fleet->next < fleet->count) {
		const char *name = fleet->names[fleet->next++];
		struct result result;

		pthread_mutex_unlock(&fleet->mutex);
		result = work_apart(fleet, ctx, name);
		pthread_mutex_lock(&fleet->mutex);
		fleet->results[fleet->waiting++] = result;
		pthread_cond_signal(&fleet->done);
	}
	fleet->at_work--;
	pthread_cond_signal(&fleet->done);
	pthread_mutex_unlock(&fleet->mutex);
	lb_context_free(ctx);
	return NULL;
}

/* With the mutex held, which they all want at once. */
static size_t start_threads(struct fleet *fleet, pthread_t threads[JOBS_MAX])
{
	size_t jobs = fleet->options->jobs ? fleet->options->jobs : (size_t)sysconf(_SC_NPROCESSORS_ONLN), started = 0;

	jobs = jobs > JOBS_MAX ? JOBS_MAX : jobs > fleet->count ? fleet->count : jobs;
	pthread_mutex_lock(&fleet->mutex);
	while (started < jobs && thread_begin(&threads[started], NULL, work_off, fleet) == 0)
		started++;
	fleet->at_work = started;
	pthread_mutex_unlock(&fleet->mutex);
	return started;
}

/* What no thread has done: one or none need no thread, and there may be no room for any. */
static void work_alone(struct fleet *fleet)
{
	while (fleet->next < fleet->count) {
		struct result result = { .name = fleet->names[fleet->next++] };

		work(fleet, fleet->ctx, &result);
		tell(fleet, &result);
	}
}

static int work_together(struct fleet *fleet)
{
	pthread_t threads[JOBS_MAX];
	size_t started, told = 0;

	fleet->results = calloc(fleet->count + 1, sizeof *fleet->results);
	if (!fleet->results)
		return fail_memory(fleet->ctx);
	started = start_threads(fleet, threads);
	pthread_mutex_lock(&fleet->mutex);
	while (fleet->at_work || told < fleet->waiting) {
		struct result result;

		if (told == fleet->waiting) {
			pthread_cond_wait(&fleet->done, &fleet->mutex);
			continue;
		}
		result = fleet->results[told++];
		pthread_mutex_unlock(&fleet->mutex);
		tell(fleet, &result);
		pthread_mutex_lock(&fleet->mutex);
	}
	pthread_mutex_unlock(&fleet->mutex);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	free(fleet->results);
	work_alone(fleet);
	return 0;
}

/* ---- the call ---- */

static int run_canary(struct fleet *fleet)
{
	const char *canary = fleet->options->canary;
	struct result result = { .name = canary };

	if (text_empty(canary))
		return 0;
	work(fleet, fleet->ctx, &result);
	tell(fleet, &result);
	if (!fleet->first_failure)
		return 0;
	return fail(fleet->ctx, fleet->first_failure, "the canary failed, and no other was touched: %s",
		    fleet->first_error);
}

int lb_rebase(struct lb_context *ctx, const char *const *names, const struct lb_rebase_options *options,
	      lb_rebase_fn fn, void *userdata)
{
	static const struct lb_rebase_options defaults = { .size = sizeof defaults };
	CLEANUP_TEXT_LIST struct text_list others = { 0 };
	struct fleet fleet = { .ctx = ctx, .fn = fn, .userdata = userdata };
	int r = CHECK_INPUT(ctx, options, lb_rebase_options);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r < 0)
		return r;
	fleet.options = options ? options : &defaults;
	for (size_t i = 0; names[i]; i++)
		if (!text_list_has(&others, names[i]) &&
		    (text_empty(fleet.options->canary) || !text_equal(names[i], fleet.options->canary)) &&
		    text_list_add(&others, names[i]) < 0)
			return fail_memory(ctx);
	r = run_canary(&fleet);
	if (r < 0)
		return r;
	fleet.names = (const char *const *)others.items;
	fleet.count = others.count;
	if (fleet.count <= 1) {
		work_alone(&fleet);
	} else {
		pthread_mutex_init(&fleet.mutex, NULL);
		pthread_cond_init(&fleet.done, NULL);
		r = work_together(&fleet);
		pthread_cond_destroy(&fleet.done);
		pthread_mutex_destroy(&fleet.mutex);
	}
	if (r < 0)
		return r;
	if (fleet.first_failure)
		return fail(ctx, fleet.first_failure, "%s", fleet.first_error);
	return fleet.changed ? 0 : 1;
}
