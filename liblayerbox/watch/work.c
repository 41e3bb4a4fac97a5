/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "work.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include "../util/thread.h"

/* How many of a kind are under way at a time: 76 in all. */
static const unsigned at_a_time[WORK_KINDS] = {
	[WORK_LOOK] = 4, [WORK_CHECK] = 44, [WORK_CHANGE] = 12, [WORK_TELL] = 16
};

struct queue {
	struct work *first, **end;
};

struct works {
	struct lb_context *ctx;       /* the loop's */
	struct queue waiting[WORK_KINDS]; /* the loop's, too */
	bool is_finishing;
	pthread_mutex_t mutex;        /* for what follows */
	struct work *running;         /* in no order */
	unsigned count[WORK_KINDS];   /* of them */
	struct queue done;
	bool is_left;                 /* the loop is gone: whoever is last frees it */
	int done_fd;
};

struct task {
	struct works *works;
	struct work *work;
	struct lb_context *ctx;
};

static void queue_add(struct queue *queue, struct work *work)
{
	work->next = NULL;
	if (!queue->first)
		queue->end = &queue->first;
	*queue->end = work;
	queue->end = &work->next;
}

static struct work *queue_take(struct queue *queue)
{
	struct work *work = queue->first;

	if (work)
		queue->first = work->next;
	return work;
}

static void queue_free(struct queue *queue)
{
	struct work *work;

	while ((work = queue_take(queue)))
		work_free(work);
}

void work_free(struct work *work)
{
	text_list_free(&work->warnings);
	work->release(work);
}

struct works *works_new(struct lb_context *ctx)
{
	struct works *works = calloc(1, sizeof *works);

	if (!works)
		return NULL;
	works->ctx = ctx;
	works->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (works->done_fd < 0) {
		free(works);
		return NULL;
	}
	pthread_mutex_init(&works->mutex, NULL);
	return works;
}

int works_fd(const struct works *works)
{
	return works->done_fd;
}

void works_give(struct works *works, struct work *work)
{
	queue_add(&works->waiting[work->kind], work);
}

/* ---- in a thread ---- */

static void destroy(struct works *works)
{
	queue_free(&works->done);
	close_fd(works->done_fd);
	pthread_mutex_destroy(&works->mutex);
	free(works);
}

static void keep_warning(enum lb_log_level level, const char *message, void *userdata)
{
	struct work *work = userdata;

	if (level <= LB_LOG_WARNING)
		(void)text_list_add(&work->warnings, message);
}

static void remove_running(struct works *works, struct work *work)
{
	struct work **link = &works->running;

	while (*link != work)
		link = &(*link)->next;
	*link = work->next;
	works->count[work->kind]--;
}

static void *run(void *data)
{
	struct task task = *(struct task *)data;
	struct works *works = task.works;
	const uint64_t one = 1;
	bool is_last;

	free(data);
	lb_context_set_log(task.ctx, keep_warning, task.work);
	task.work->run(task.ctx, task.work);
	lb_context_free(task.ctx);
	pthread_mutex_lock(&works->mutex);
	remove_running(works, task.work);
	queue_add(&works->done, task.work);
	(void)!write(works->done_fd, &one, sizeof one);
	is_last = works->is_left && !works->running;
	pthread_mutex_unlock(&works->mutex);
	if (is_last)
		destroy(works);
	return NULL;
}

/* ---- in the loop ---- */

static int begin_thread(struct task *task)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int r;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	r = thread_begin(&thread, &attributes, run, task);
	pthread_attr_destroy(&attributes);
	return r;
}

/* False where there is no memory or thread for it now. */
static bool begin(struct works *works, struct work *work)
{
	struct task *task = malloc(sizeof *task);
	struct lb_context *ctx = task ? context_copy(works->ctx) : NULL;

	if (!ctx) {
		free(task);
		return false;
	}
	*task = (struct task){ .works = works, .work = work, .ctx = ctx };
	pthread_mutex_lock(&works->mutex);
	work->next = works->running;
	works->running = work;
	works->count[work->kind]++;
	pthread_mutex_unlock(&works->mutex);
	if (begin_thread(task) == 0)
		return true;
	pthread_mutex_lock(&works->mutex);
	remove_running(works, work);
	pthread_mutex_unlock(&works->mutex);
	lb_context_free(ctx);
	free(task);
	return false;
}

static bool has_of_same(const struct work *others, const struct work *work)
{
	for (const struct work *other = others; other; other = other->next)
		if (other->kind == work->kind && text_equal(other->name, work->name))
			return true;
	return false;
}

/* Has it to wait for another of the same container, which was given before? */
static bool has_to_wait(struct works *works, const struct queue *before, const struct work *work)
{
	bool has;

	if (work->kind != WORK_TELL)
		return false;
	pthread_mutex_lock(&works->mutex);
	has = has_of_same(works->running, work) || has_of_same(before->first, work);
	pthread_mutex_unlock(&works->mutex);
	return has;
}

static bool has_room(struct works *works, enum work_kind kind)
{
	bool has;

	pthread_mutex_lock(&works->mutex);
	has = works->count[kind] < at_a_time[kind];
	pthread_mutex_unlock(&works->mutex);
	return has;
}

static void run_kind(struct works *works, enum work_kind kind)
{
	struct queue waiting = works->waiting[kind], left = { 0 };
	struct work *work;

	while ((work = queue_take(&waiting)))
		if (has_to_wait(works, &left, work) || !has_room(works, kind) || !begin(works, work))
			queue_add(&left, work);
	works->waiting[kind] = left;
}

void works_run(struct works *works)
{
	for (enum work_kind kind = 0; kind < WORK_KINDS; kind++)
		if (works->waiting[kind].first && (!works->is_finishing || kind == WORK_TELL))
			run_kind(works, kind);
}

struct work *works_take(struct works *works)
{
	struct work *work;
	uint64_t count;

	(void)!read(works->done_fd, &count, sizeof count);
	pthread_mutex_lock(&works->mutex);
	work = queue_take(&works->done);
	pthread_mutex_unlock(&works->mutex);
	return work;
}

bool works_finish(struct works *works)
{
	bool is_over;

	works->is_finishing = true;
	pthread_mutex_lock(&works->mutex);
	is_over = !works->count[WORK_CHANGE] && !works->count[WORK_TELL] && !works->waiting[WORK_TELL].first &&
		  !works->done.first;
	pthread_mutex_unlock(&works->mutex);
	return is_over;
}

void works_free(struct works *works)
{
	bool is_last;

	for (enum work_kind kind = 0; kind < WORK_KINDS; kind++)
		queue_free(&works->waiting[kind]);
	pthread_mutex_lock(&works->mutex);
	works->is_left = true;
	is_last = !works->running;
	pthread_mutex_unlock(&works->mutex);
	if (is_last)
		destroy(works);
}
