/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>
#include <pthread.h>

#include "../../liblayerbox/boot/crew.h"
#include "../../liblayerbox/util/clock.h"

enum { WORKERS = 40, WORDS = 50 };

struct job {
	size_t number;
	unsigned heard, logged;
	bool ended;
};

static struct lb_context *ctx;
static pthread_t caller;
static struct job jobs[WORKERS];

static void on_log(enum lb_log_level level, const char *message, void *userdata)
{
	size_t number;
	unsigned word;

	(void)userdata;
	assert_true(pthread_equal(pthread_self(), caller));
	assert_int_equal(level, LB_LOG_WARNING);
	assert_int_equal(sscanf(message, "%zu logs %u", &number, &word), 2);
	assert_int_equal(jobs[number].logged++, word);
}

static int enter(void **state)
{
	const struct lb_context_options options = { .size = sizeof options, .root = "/nowhere" };

	caller = pthread_self();
	if (scratch_enter(state) < 0 || lb_context_new(&options, &ctx) < 0)
		return -1;
	lb_context_set_log(ctx, on_log, NULL);
	return 0;
}

static int leave(void **state)
{
	lb_context_free(ctx);
	return scratch_leave(state);
}

static void talk(struct crew_worker *worker, struct lb_context *own, void *data)
{
	const struct job *job = data;

	assert_ptr_not_equal(own, ctx);
	assert_string_equal(lb_context_root(own), "/nowhere");
	for (unsigned i = 0; i < WORDS; i++) {
		crew_say(worker, 7, job->number, (int)i, "a word");
		log_message(own, LB_LOG_WARNING, "%zu logs %u", job->number, i);
	}
}

/* What each says is heard in its order, all of it, and its end comes last. */
static void test_all_is_heard(void **state)
{
	struct crew crew;
	struct crew_note *note;
	size_t ended = 0;

	(void)state;
	crew_open(ctx, &crew);
	for (size_t i = 0; i < WORKERS; i++) {
		jobs[i] = (struct job){ .number = i };
		assert_int_equal(crew_begin(&crew, talk, &jobs[i]), 0);
	}
	while ((note = crew_hear(&crew, -1))) {
		struct job *job = note->ended ? note->data : &jobs[note->about];

		assert_false(job->ended);
		job->ended = note->ended;
		ended += job->ended;
		if (!note->ended) {
			assert_int_equal(note->kind, 7);
			assert_int_equal(note->result, job->heard++);
			assert_string_equal(note->text, "a word");
		}
		free(note);
	}
	assert_int_equal(ended, WORKERS);
	for (size_t i = 0; i < WORKERS; i++) {
		assert_int_equal(jobs[i].heard, WORDS);
		assert_int_equal(jobs[i].logged, WORDS);
	}
	crew_close(&crew);
}

static void test_waiting_ends_in_time(void **state)
{
	struct crew crew;
	int64_t begin = clock_ms();

	(void)state;
	crew_open(ctx, &crew);
	assert_null(crew_hear(&crew, -1));
	assert_null(crew_hear(&crew, begin + 100));
	assert_in_range(clock_ms() - begin, 95, 2000);
	assert_null(crew_hear(&crew, begin));
	crew_close(&crew);
}

static void nap(struct crew_worker *worker, struct lb_context *own, void *data)
{
	sigset_t blocked;

	(void)own;
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	assert_true(sigismember(&blocked, SIGTERM)); /* the caller's threads handle the caller's signals */
	usleep(200000);
	crew_say(worker, 1, 0, 0, "");
	*(bool *)data = true;
}

static void test_nobody_is_left_at_work(void **state)
{
	struct crew crew;
	bool done = false;

	(void)state;
	crew_open(ctx, &crew);
	assert_int_equal(crew_begin(&crew, nap, &done), 0);
	assert_null(crew_hear(&crew, clock_ms() + 20));
	assert_false(done);
	crew_close(&crew);
	assert_true(done);
}

static bool no_threads;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *data);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *data);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *), void *data)
{
	return no_threads ? EAGAIN : __real_pthread_create(thread, attributes, fn, data);
}

/* Where there is no thread to be had, the work is done all the same. */
static void test_without_threads(void **state)
{
	struct crew crew;
	struct crew_note *note;

	(void)state;
	jobs[0] = (struct job){ 0 };
	no_threads = true;
	crew_open(ctx, &crew);
	assert_int_equal(crew_begin(&crew, talk, &jobs[0]), 0);
	while ((note = crew_hear(&crew, -1))) {
		jobs[0].heard += !note->ended;
		free(note);
	}
	crew_close(&crew);
	no_threads = false;
	assert_int_equal(jobs[0].heard, WORDS);
	assert_int_equal(jobs[0].logged, WORDS);
}

/* How deep a rebase goes, which is done in a thread, is up to the trees of containers. */
static void go_deep(struct crew_worker *worker, struct lb_context *own, void *data)
{
	volatile char bytes[1 << 20];

	(void)own;
	(void)data;
	for (size_t i = sizeof bytes; i > 0; i -= 1024)
		bytes[i - 1] = 1;
	crew_say(worker, 7, 0, bytes[sizeof bytes - 1], "");
}

static void test_deep_stack(void **state)
{
	struct crew crew;
	struct crew_note *note;

	(void)state;
	crew_open(ctx, &crew);
	assert_int_equal(crew_begin(&crew, go_deep, NULL), 0);
	note = crew_hear(&crew, -1);
	assert_int_equal(note->result, 1);
	free(note);
	crew_close(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_heard),
		cmocka_unit_test(test_waiting_ends_in_time),
		cmocka_unit_test(test_nobody_is_left_at_work),
		cmocka_unit_test(test_without_threads),
		cmocka_unit_test(test_deep_stack),
	};

	return cmocka_run_group_tests_name("crew", tests, enter, leave);
}
