/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <poll.h>
#include <pthread.h>

#include "../../liblayerbox/watch/work.h"

/* Work that waits at a gate, and counts itself. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_open;
	unsigned running, most, ended, released;
	bool hung_is_released;
	char order[64];               /* the last letters of their names, as they began */
} gate = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void reset_gate(bool is_open)
{
	pthread_mutex_lock(&gate.mutex);
	gate.is_open = is_open;
	gate.running = gate.most = gate.ended = gate.released = 0;
	gate.order[0] = '\0';
	pthread_mutex_unlock(&gate.mutex);
}

static void open_gate(void)
{
	pthread_mutex_lock(&gate.mutex);
	gate.is_open = true;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.mutex);
}

static void wait_at_gate(struct lb_context *ctx, struct work *work)
{
	pthread_mutex_lock(&gate.mutex);
	snprintf(gate.order + strlen(gate.order), sizeof gate.order - strlen(gate.order), "%.1s", work->name);
	if (++gate.running > gate.most)
		gate.most = gate.running;
	pthread_cond_broadcast(&gate.changed);
	while (!gate.is_open)
		pthread_cond_wait(&gate.changed, &gate.mutex);
	gate.running--;
	gate.ended++;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.mutex);
	log_message(ctx, LB_LOG_WARNING, "warned by %s", work->name);
	log_message(ctx, LB_LOG_INFO, "no matter");
}

static void release(struct work *work)
{
	pthread_mutex_lock(&gate.mutex);
	gate.released++;
	gate.hung_is_released = gate.hung_is_released || text_equal(work->name, "hangs");
	pthread_mutex_unlock(&gate.mutex);
	free(work);
}

static void give(struct works *works, enum work_kind kind, const char *name)
{
	struct work *work = calloc(1, sizeof *work);

	assert_non_null(work);
	work->kind = kind;
	work->run = wait_at_gate;
	work->release = release;
	text_copy(work->name, sizeof work->name, name);
	works_give(works, work);
}

static struct work *wait_for_one(struct works *works)
{
	struct pollfd fd = { .fd = works_fd(works), .events = POLLIN };
	struct work *work;

	while (!(work = works_take(works)))
		assert_int_equal(poll(&fd, 1, 10000), 1);
	return work;
}

static void wait_until_running(unsigned count)
{
	pthread_mutex_lock(&gate.mutex);
	while (gate.running < count)
		pthread_cond_wait(&gate.changed, &gate.mutex);
	pthread_mutex_unlock(&gate.mutex);
}

static struct lb_context *new_context(void)
{
	static const struct lb_context_options options = { .size = sizeof options, .config_file = "w.conf" };
	struct lb_context *ctx = NULL;

	put_file("w.conf", "");
	assert_int_equal(lb_context_new(&options, &ctx), 0);
	return ctx;
}

static void test_results_come_back(void **state)
{
	struct lb_context *ctx = new_context();
	struct works *works = works_new(ctx);
	struct work *work;

	(void)state;
	reset_gate(true);
	assert_null(works_take(works));
	give(works, WORK_CHECK, "a");
	assert_null(works_take(works)); /* not before works_run() */
	works_run(works);
	assert_int_equal(poll(&(struct pollfd){ .fd = works_fd(works), .events = POLLIN }, 1, 10000), 1);
	assert_false(works_finish(works)); /* what came of it is not known yet */
	work = wait_for_one(works);
	assert_string_equal(work->name, "a");
	assert_int_equal(work->warnings.count, 1);
	assert_string_equal(work->warnings.items[0], "warned by a");
	work_free(work);
	assert_null(works_take(works));
	assert_true(works_finish(works));
	works_free(works);
	assert_int_equal(gate.released, 1);
	lb_context_free(ctx);
}

/* Checks that hang leave room for all else. */
static void test_kinds_are_bounded(void **state)
{
	struct lb_context *ctx = new_context();
	struct works *works = works_new(ctx);
	enum { CHECKS = 100 };

	(void)state;
	reset_gate(false);
	for (unsigned i = 0; i < CHECKS; i++)
		give(works, WORK_CHECK, "c");
	works_run(works);
	wait_until_running(44);
	give(works, WORK_CHANGE, "d");
	works_run(works);
	wait_until_running(45);
	open_gate();
	for (unsigned i = 0; i < CHECKS + 1; i++) {
		work_free(wait_for_one(works));
		works_run(works);
	}
	assert_int_equal(gate.ended, CHECKS + 1);
	assert_in_range(gate.most, 45, 64);
	works_free(works);
	lb_context_free(ctx);
}

/* What is told of one container is told in order, whatever is told of others meanwhile. */
static void test_alerts_keep_their_order(void **state)
{
	struct lb_context *ctx = new_context();
	struct works *works = works_new(ctx);

	(void)state;
	reset_gate(false);
	give(works, WORK_TELL, "a");
	give(works, WORK_TELL, "a");
	give(works, WORK_TELL, "b");
	works_run(works);
	wait_until_running(2);
	works_run(works);
	assert_int_equal(gate.most, 2);
	open_gate();
	for (unsigned i = 0; i < 3; i++) {
		work_free(wait_for_one(works));
		works_run(works);
	}
	assert_int_equal(gate.ended, 3);
	assert_int_equal(gate.order[2], 'a');
	works_free(works);
	lb_context_free(ctx);
}

/* At the end alerts are waited for, also those that have not begun; checks are not. */
static void test_the_end(void **state)
{
	struct lb_context *ctx = new_context();
	struct works *works = works_new(ctx);

	(void)state;
	reset_gate(false);
	give(works, WORK_CHECK, "c");
	give(works, WORK_TELL, "a");
	works_run(works);
	wait_until_running(2);
	give(works, WORK_TELL, "a");
	give(works, WORK_CHECK, "e");
	assert_false(works_finish(works));
	works_run(works);
	open_gate();
	while (!works_finish(works)) {
		work_free(wait_for_one(works));
		works_run(works);
	}
	assert_null(strchr(gate.order, 'e'));
	works_free(works);
	pthread_mutex_lock(&gate.mutex);
	assert_string_equal(gate.order + 2, "a");
	pthread_mutex_unlock(&gate.mutex);
	lb_context_free(ctx);
}

/* A check that hangs outlives the supervisor, and frees what is left. */
static void test_what_hangs_is_left(void **state)
{
	struct lb_context *ctx = new_context();
	struct works *works = works_new(ctx);

	(void)state;
	reset_gate(false);
	give(works, WORK_CHECK, "hangs");
	works_run(works);
	wait_until_running(1);
	assert_true(works_finish(works));
	works_free(works);
	lb_context_free(ctx);
	open_gate();
	for (unsigned i = 0; i < 1000; i++) {
		bool is_over;

		pthread_mutex_lock(&gate.mutex);
		is_over = gate.hung_is_released; /* whoever else is only now */
		pthread_mutex_unlock(&gate.mutex);
		if (is_over)
			return;
		usleep(10000);
	}
	fail_msg("it was not freed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results_come_back), cmocka_unit_test(test_kinds_are_bounded),
		cmocka_unit_test(test_alerts_keep_their_order), cmocka_unit_test(test_the_end),
		cmocka_unit_test(test_what_hangs_is_left),
	};

	return cmocka_run_group_tests_name("work", tests, scratch_enter, scratch_leave);
}
