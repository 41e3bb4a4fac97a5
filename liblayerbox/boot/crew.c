/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crew.h"

#include <time.h>

#include "../util/thread.h"

struct crew_worker {
	struct crew *crew;
	struct lb_context *ctx;
	pthread_t thread;
	bool has_thread;
	crew_fn fn;
	void *data;
	struct crew_note *farewell;   /* made before the work begins, so that its end cannot be lost */
};

void crew_open(struct lb_context *ctx, struct crew *ret_crew)
{
	pthread_condattr_t attributes;

	*ret_crew = (struct crew){ .ctx = ctx };
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&ret_crew->mutex, NULL);
	pthread_cond_init(&ret_crew->said, &attributes);
	pthread_condattr_destroy(&attributes);
}

void crew_close(struct crew *crew)
{
	struct crew_note *note;

	while ((note = crew_hear(crew, -1)))
		free(note);
	pthread_cond_destroy(&crew->said);
	pthread_mutex_destroy(&crew->mutex);
}

/* ---- the workers ---- */

static struct crew_note *make_note(const char *text)
{
	struct crew_note *note = calloc(1, sizeof *note + strlen(text) + 1);

	if (note)
		strcpy(note->text, text);
	return note;
}

static void post(struct crew *crew, struct crew_note *note)
{
	if (!note)
		return;
	pthread_mutex_lock(&crew->mutex);
	if (crew->last)
		crew->last->next = note;
	else
		crew->first = note;
	crew->last = note;
	pthread_cond_signal(&crew->said);
	pthread_mutex_unlock(&crew->mutex);
}

void crew_say(struct crew_worker *worker, int kind, size_t about, int result, const char *text)
{
	struct crew_note *note = make_note(text);

	if (note) {
		note->kind = kind;
		note->about = about;
		note->result = result;
	}
	post(worker->crew, note);
}

static void on_log(enum lb_log_level level, const char *message, void *userdata)
{
	struct crew_worker *worker = userdata;
	struct crew_note *note = make_note(message);

	if (note)
		note->log_level = level;
	post(worker->crew, note);
}

static void *work(void *data)
{
	struct crew_worker *worker = data;

	worker->fn(worker, worker->ctx, worker->data);
	post(worker->crew, worker->farewell);
	return NULL;
}

static void worker_free(struct crew_worker *worker)
{
	lb_context_free(worker->ctx);
	free(worker);
}

int crew_begin(struct crew *crew, crew_fn fn, void *data)
{
	struct crew_worker *worker = calloc(1, sizeof *worker);

	if (!worker)
		return fail_memory(crew->ctx);
	*worker = (struct crew_worker){ .crew = crew, .fn = fn, .data = data };
	worker->ctx = context_copy(crew->ctx);
	worker->farewell = make_note("");
	if (!worker->ctx || !worker->farewell) {
		free(worker->farewell);
		worker_free(worker);
		return fail_memory(crew->ctx);
	}
	worker->farewell->ended = worker;
	worker->farewell->data = data;
	lb_context_set_log(worker->ctx, on_log, worker);
	crew->at_work++;
	worker->has_thread = thread_begin(&worker->thread, NULL, work, worker) == 0;
	if (!worker->has_thread)
		work(worker);
	return 0;
}

/* ---- the caller ---- */

/* With the mutex held. False when time is over. */
static bool wait_for_note(struct crew *crew, int64_t end_ms)
{
	const struct timespec end = { .tv_sec = end_ms / 1000, .tv_nsec = end_ms % 1000 * 1000000 };

	while (!crew->first) {
		if (end_ms < 0)
			pthread_cond_wait(&crew->said, &crew->mutex);
		else if (pthread_cond_timedwait(&crew->said, &crew->mutex, &end) != 0)
			return crew->first;
	}
	return true;
}

static struct crew_note *take_note(struct crew *crew, int64_t end_ms)
{
	struct crew_note *note = NULL;

	pthread_mutex_lock(&crew->mutex);
	if (wait_for_note(crew, end_ms)) {
		note = crew->first;
		crew->first = note->next;
		if (!crew->first)
			crew->last = NULL;
	}
	pthread_mutex_unlock(&crew->mutex);
	return note;
}

struct crew_note *crew_hear(struct crew *crew, int64_t end_ms)
{
	struct crew_note *note = NULL;

	while ((crew->at_work || end_ms >= 0) && (note = take_note(crew, end_ms)) && note->log_level) {
		log_message(crew->ctx, note->log_level, "%s", note->text);
		free(TAKE_PTR(note));
	}
	if (note && note->ended) {
		if (note->ended->has_thread)
			pthread_join(note->ended->thread, NULL);
		worker_free(note->ended);
		crew->at_work--;
	}
	return note;
}
