/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* This thread decides who begins when, others do what blocks. docs/care.md, "start-all". */
#include "all.h"

#include <stdio.h>

#include "../adapters/rights.h"
#include "../core/store.h"
#include "../util/clock.h"
#include "crew.h"
#include "ready.h"

/* What workers say. */
enum { RESULT, READY };

/* Each waits with a thread and some descriptors; when there are more, the others wait for their turn. */
enum { WAITS_MAX = 128 };

/* So long before the deadline nobody waits for others any more. */
enum { HURRY_MS = 30000 };

/* How far a member is, as far as it was told. */
enum stage { NOT_DONE, DONE, THROUGH };

/* Members whose turn it is, in this order. */
struct queue {
	size_t *items;
	size_t first, count;          /* of those in it, and of all that ever were */
	size_t at_work, limit;        /* how many are worked on, at most */
};

struct run {
	struct all *all;
	enum stage *stages;           /* of each member */
	size_t through;
	struct order *order;
	struct crew crew;
	int64_t hurry_ms;             /* when the order is dropped; ORDER_NEVER */
	struct queue single, waiting; /* those that are worked on alone, and those that are waited for to be ready */
};

/* Work that is given away: starting or stopping these, or waiting for one. */
struct work {
	const struct all *all;
	struct queue *queue;          /* whose turn it is taken from; NULL: they are worked on together */
	struct crew_worker *worker;
	size_t *indexes, count;
	const char **names;
};

/* ---- what comes of them ---- */

static void set_through(struct run *run, size_t index)
{
	struct all *all = run->all;

	order_through(run->order, index, clock_ms());
	run->stages[index] = THROUGH;
	run->through++;
	progress(all->ctx, (int)(run->through * 100 / all->count), "%s containers: %s (%zu of %zu)", all->what,
		 all->members[index].name, run->through, all->count);
}

static void on_failure(struct run *run, size_t index, enum lb_boot_step step, int code, const char *error)
{
	struct all *all = run->all;

	if (!all->first_failure) {
		all->first_failure = code;
		text_copy(all->first_error, sizeof all->first_error, error);
	}
	all->on_step(all, &all->members[index], step, code, error);
	set_through(run, index);
}

static void enqueue(struct queue *queue, size_t index)
{
	queue->items[queue->count++] = index;
}

/* It runs, or does not any more, and is through unless somebody may have to wait for more. */
static void on_done(struct run *run, size_t index, bool already)
{
	struct all *all = run->all;

	all->changed = all->changed || !already;
	run->stages[index] = DONE;
	all->on_step(all, &all->members[index], already ? LB_BOOT_ALREADY : LB_BOOT_STARTED, 0, "");
	if (all->members[index].wait > BOOT_WAIT_RUNNING)
		enqueue(&run->waiting, index);
	else
		set_through(run, index);
}

static void on_result(struct run *run, size_t index, int result, const char *error)
{
	struct boot_member *member = &run->all->members[index];

	if (result == -LB_ERR_BUSY && !member->holds_up) {
		member->holds_up = true;
		enqueue(&run->single, index);
	} else if (result < 0) {
		on_failure(run, index, LB_BOOT_FAILED, result, error);
	} else {
		on_done(run, index, result > 0);
	}
}

static void on_ready(struct run *run, size_t index, int result, const char *text)
{
	if (result < 0) {
		on_failure(run, index, LB_BOOT_NOT_READY, result, text);
		return;
	}
	run->all->on_step(run->all, &run->all->members[index], LB_BOOT_READY, 0, text);
	set_through(run, index);
}

/* ---- the work ---- */

static void work_free(struct work *work)
{
	free(work->indexes);
	free(work->names);
	free(work);
}

static struct work *work_make(const struct all *all, struct queue *queue, const size_t *indexes, size_t count)
{
	struct work *work = calloc(1, sizeof *work);

	if (!work)
		return NULL;
	*work = (struct work){ .all = all, .queue = queue, .count = count };
	work->indexes = calloc(count, sizeof *work->indexes);
	work->names = calloc(count + 1, sizeof *work->names);
	if (!work->indexes || !work->names) {
		work_free(work);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		work->indexes[i] = indexes[i];
		work->names[i] = all->members[indexes[i]].name;
	}
	return work;
}

static void report(const char *name, int result, const char *error, void *userdata)
{
	const struct work *work = userdata;

	for (size_t i = 0; i < work->count; i++)
		if (text_equal(work->names[i], name))
			crew_say(work->worker, RESULT, work->indexes[i], result, error);
}

/* 0 where there is no deadline. */
static unsigned seconds_left(const struct all *all)
{
	int64_t left_ms = all->deadline_ms - clock_ms();

	return !all->deadline_ms ? 0 : left_ms < 1000 ? 1 : (unsigned)(left_ms / 1000);
}

static void start_or_stop(struct crew_worker *worker, struct lb_context *ctx, void *data)
{
	struct work *work = data;
	const struct all *all = work->all;
	all_many_fn many = work->queue ? all->alone : all->together;
	struct lb_run_options options = { .size = sizeof options };

	if (all->options)
		options = *all->options;
	options.deadline_s = seconds_left(all);
	work->worker = worker;
	many(ctx, work->names, &options, report, work);
}

static void wait_until_ready(struct crew_worker *worker, struct lb_context *ctx, void *data)
{
	const struct work *work = data;
	const struct boot_member *member = &work->all->members[work->indexes[0]];
	char text[READY_TEXT_SIZE] = "";
	int r = ready_wait(ctx, member->name, member->wait, member->timeout_s, text);

	crew_say(worker, READY, work->indexes[0], r, r < 0 ? lb_context_error(ctx) : text);
}

static int begin(struct run *run, struct queue *queue, const size_t *indexes, size_t count, crew_fn fn)
{
	struct work *work = work_make(run->all, queue, indexes, count);
	int r = work ? crew_begin(&run->crew, fn, work) : fail_memory(run->all->ctx);

	if (r < 0 && work)
		work_free(work);
	return r;
}

static int begin_queued(struct run *run, struct queue *queue, crew_fn fn)
{
	int r = 0;

	while (r == 0 && queue->first < queue->count && queue->at_work < queue->limit) {
		r = begin(run, queue, &queue->items[queue->first++], 1, fn);
		queue->at_work += r == 0;
	}
	return r;
}

/* All who may begin now: together, unless they would hold up the others. */
static int begin_those_who_may(struct run *run)
{
	CLEANUP_FREE size_t *indexes = calloc(run->all->count, sizeof *indexes);
	size_t count = 0;
	ssize_t index;
	int r = indexes ? 0 : fail_memory(run->all->ctx);

	while (r == 0 && (index = order_next(run->order, clock_ms())) != ORDER_NOBODY) {
		if (run->all->members[index].holds_up)
			enqueue(&run->single, (size_t)index);
		else
			indexes[count++] = (size_t)index;
	}
	if (r == 0 && count)
		r = begin(run, NULL, indexes, count, start_or_stop);
	if (r == 0)
		r = begin_queued(run, &run->single, start_or_stop);
	return r < 0 ? r : begin_queued(run, &run->waiting, wait_until_ready);
}

/* What there was no memory to say anything of, is a failure. */
static void on_silence(struct run *run, const struct work *work, size_t index)
{
	bool is_queued = run->all->members[index].holds_up && !work->queue;

	if (work->queue == &run->waiting && run->stages[index] == DONE)
		on_ready(run, index, -ENOMEM, "out of memory");
	else if (run->stages[index] == NOT_DONE && !is_queued)
		on_result(run, index, -ENOMEM, "out of memory");
}

static void on_end(struct run *run, struct work *work)
{
	for (size_t i = 0; i < work->count; i++)
		on_silence(run, work, work->indexes[i]);
	if (work->queue)
		work->queue->at_work--;
	work_free(work);
}

/* Until @end_ms, or somebody has said something; else false. */
static bool hear(struct run *run, int64_t end_ms)
{
	struct crew_note *note = crew_hear(&run->crew, end_ms);

	if (!note)
		return false;
	if (note->ended)
		on_end(run, note->data);
	else if (note->kind == RESULT)
		on_result(run, note->about, note->result, note->text);
	else
		on_ready(run, note->about, note->result, note->text);
	free(note);
	return true;
}

/* ---- the whole ---- */

static int64_t hurry_of(const struct all *all, int64_t now_ms)
{
	int64_t half_ms = (all->deadline_ms - now_ms) / 2;

	return !all->deadline_ms ? ORDER_NEVER : all->deadline_ms - (half_ms < HURRY_MS ? half_ms : HURRY_MS);
}

static void hurry_in_time(struct run *run)
{
	if (run->hurry_ms == ORDER_NEVER || clock_ms() < run->hurry_ms)
		return;
	order_drop(run->order);
	run->hurry_ms = ORDER_NEVER;
}

/* When somebody may begin, although nobody says anything. */
static int64_t due_of(const struct run *run)
{
	int64_t due_ms = order_due(run->order);

	if (run->hurry_ms != ORDER_NEVER && (due_ms == ORDER_NEVER || run->hurry_ms < due_ms))
		return run->hurry_ms;
	return due_ms;
}

/* Those about whom all is known from the beginning. */
static void tell_known(struct run *run)
{
	for (size_t i = 0; i < run->all->count; i++) {
		const struct boot_member *member = &run->all->members[i];

		if (run->all->turns[i].state != ORDER_BEGUN)
			continue;
		if (member->error)
			on_failure(run, i, LB_BOOT_FAILED, member->error, member->why);
		else
			on_done(run, i, true);
	}
}

static int run_members(struct run *run)
{
	int r = 0;

	tell_known(run);
	crew_open(run->all->ctx, &run->crew);
	while (r == 0 && order_left(run->order)) {
		hurry_in_time(run);
		r = begin_those_who_may(run);
		if (r == 0)
			hear(run, due_of(run));
	}
	/* The last words of those who have said all that matters; after a failure, of those who are still at work. */
	while (hear(run, -1))
		;
	crew_close(&run->crew);
	return r;
}

static void warn_of_cycles(const struct all *all, const struct order *order)
{
	const struct text_list *broken = order_get_broken(order);

	for (size_t i = 0; i < broken->count; i++) {
		CLEANUP_TEXT_LIST struct text_list names = { 0 };
		CLEANUP_FREE char *text = NULL;

		if (order_find_cycle(all->turns, all->count, broken->items[i], &names) <= 0)
			continue;
		text = order_cycle_text(&names);
		log_message(all->ctx, LB_LOG_WARNING, "boot.after leads in a circle: %s; '%s' does not wait for that",
			    text ? text : "", broken->items[i]);
	}
}

int all_run(struct all *all)
{
	struct run run = { .all = all, .hurry_ms = hurry_of(all, clock_ms()) };
	int r = order_make(all->turns, all->count, clock_ms(), &run.order);

	run.stages = calloc(all->count + 1, sizeof *run.stages);
	run.single = (struct queue){ .items = calloc(all->count + 1, sizeof(size_t)), .limit = all->alone_max };
	run.waiting = (struct queue){ .items = calloc(all->count + 1, sizeof(size_t)), .limit = WAITS_MAX };
	if (r < 0 || !run.stages || !run.single.items || !run.waiting.items)
		r = fail_memory(all->ctx);
	if (r == 0) {
		warn_of_cycles(all, run.order);
		r = run_members(&run);
	}
	order_free(&run.order);
	free(run.stages);
	free(run.single.items);
	free(run.waiting.items);
	if (r < 0)
		return r;
	if (all->first_failure)
		return fail(all->ctx, all->first_failure, "%s", all->first_error);
	return all->changed ? 0 : 1;
}

int all_load(struct all *all, const struct lb_run_options *options,
	     bool (*is_wanted)(const struct boot_member *member))
{
	struct lb_context *ctx = all->ctx;
	size_t loaded;
	int r = CHECK_INPUT(ctx, options, lb_run_options);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = store_open(ctx);
	if (r == 0)
		r = members_load(ctx, &all->members, &loaded);
	if (r < 0)
		return r;
	/* Each is asked once more under its lock; here so that one without an answer holds nobody up. */
	if (!options || !options->kill)
		r = members_ask(ctx, all->members, loaded);
	if (r < 0) {
		members_free(all->members, loaded);
		return r;
	}
	all->count = members_keep(all->members, loaded, is_wanted);
	return 0;
}
