/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks for several threads. The last that came is done first, which keeps the list short: a tree is wide. */
#include <sched.h>

#include "../util/array.h"
#include "../util/thread.h"
#include "live-private.h"

int live_queue_push(struct live_copy *copy, const struct live_task *task)
{
	struct live_queue *queue = &copy->queue;
	struct live_task *tasks;

	pthread_mutex_lock(&queue->mutex);
	tasks = array_grow(queue->tasks, queue->count, &queue->capacity, sizeof *tasks);
	if (tasks) {
		queue->tasks = tasks;
		queue->tasks[queue->count++] = *task;
		pthread_cond_signal(&queue->changed);
	}
	pthread_mutex_unlock(&queue->mutex);
	return tasks ? 0 : -ENOMEM;
}

/* Waits for a task; false where none will come any more. */
static bool take(struct live_queue *queue, struct live_task *ret_task)
{
	while (queue->count == 0 && queue->working > 0 && !queue->stop)
		pthread_cond_wait(&queue->changed, &queue->mutex);
	if (queue->count == 0 || queue->stop)
		return false;
	*ret_task = queue->tasks[--queue->count];
	queue->working++;
	return true;
}

static void work(struct live_worker *worker)
{
	struct live_queue *queue = &worker->copy->queue;
	struct live_task task;

	pthread_mutex_lock(&queue->mutex);
	while (take(queue, &task)) {
		int r;

		pthread_mutex_unlock(&queue->mutex);
		r = live_pass_task(worker, &task);
		pthread_mutex_lock(&queue->mutex);
		queue->working--;
		queue->stop = queue->stop || r < 0;
		if (queue->working == 0 || queue->stop)
			pthread_cond_broadcast(&queue->changed);
	}
	pthread_mutex_unlock(&queue->mutex);
}

static void *run(void *data)
{
	struct live_copy *copy = data;
	struct live_worker *worker = calloc(1, sizeof *worker);

	if (!worker)
		return NULL; /* the caller's does it all */
	worker->copy = copy;
	work(worker);
	pthread_mutex_lock(&copy->mutex);
	copy->counts.entries += worker->counts.entries;
	copy->counts.copied += worker->counts.copied;
	copy->counts.linked += worker->counts.linked;
	copy->counts.last_pass += worker->counts.last_pass;
	copy->counts.last_pass_bytes += worker->counts.last_pass_bytes;
	pthread_mutex_unlock(&copy->mutex);
	free(worker);
	return copy;
}

/* Two at least: one works while another one waits for the disk. */
static unsigned count_threads(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 2;

	return count < 2 ? 2 : count > LIVE_THREADS_MAX ? LIVE_THREADS_MAX : (unsigned)count;
}

int live_queue_run(struct live_copy *copy)
{
	pthread_t threads[LIVE_THREADS_MAX];
	unsigned running = 0, count = count_threads();
	bool worked;

	copy->queue.stop = false;
	while (running + 1 < count && thread_begin(&threads[running], NULL, run, copy) == 0)
		running++;
	worked = run(copy) != NULL;
	while (running > 0)
		pthread_join(threads[--running], NULL);
	if (!worked && copy->failure == 0)
		copy->failure = -ENOMEM;
	return copy->failure;
}
