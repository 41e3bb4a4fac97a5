/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the supervisor makes of what it hears and sees, in the order in which that comes. */
#include "unit.h"

#include <poll.h>
#include <sys/wait.h>

#include "../../liblayerbox/watch/supervisor.h"

enum { EXIT_3 = W_EXITCODE(3, 0) };

static struct supervisor supervisor;

static int setup(void **state)
{
	char root[4096];
	const struct lb_context_options options = { .size = sizeof options, .root = root, .config_file = "/dev/null" };

	if (scratch_enter(state) < 0 || !getcwd(root, sizeof root) || mkdir("containers", 0700) < 0 ||
	    mkdir("os-bases", 0700) < 0 || mkdir("containers/loop", 0700) < 0 || lb_context_new(&options, &supervisor.ctx) < 0)
		return -1;
	supervisor.works = works_new(supervisor.ctx);
	return supervisor.works ? 0 : -1;
}

static int teardown(void **state)
{
	works_free(supervisor.works);
	items_free(&supervisor.items);
	lb_context_free(supervisor.ctx);
	return scratch_leave(state);
}

/* A look that is done in its thread, as the loop takes it. */
static void look_at_it(struct item *item)
{
	struct pollfd fd = { .fd = works_fd(supervisor.works), .events = POLLIN };
	struct work *work;

	follow_look_at(&supervisor, item);
	works_run(supervisor.works);
	assert_int_equal(poll(&fd, 1, -1), 1);
	work = works_take(supervisor.works);
	assert_non_null(work);
	work->done(&supervisor, work);
	work_free(work);
	assert_true(item->has_settings && !item->times_busy);
}

static void tell(enum lb_state state)
{
	const struct lxc_event event = { .name = "loop", .state = state };

	follow_event(&supervisor, &event, 1);
}

static void tell_end(int status)
{
	const struct lxc_event event = { .name = "loop", .is_exit = true, .status = status };

	follow_event(&supervisor, &event, 1);
}

/* It ended at once, and is seen down before the thread that started it says so: nothing is told of the end till then. */
static void test_end_before_result(void **state)
{
	struct item *item = items_add(&supervisor.items, "loop");

	(void)state;
	item->policy.is_starting = true;
	tell(LB_STATE_STARTING);
	tell(LB_STATE_RUNNING);
	tell_end(EXIT_3);
	tell(LB_STATE_STOPPED);
	look_at_it(item);
	assert_true(item->policy.is_starting);
	assert_int_equal(item->exit_status, EXIT_3);
}

/* What is known of one life says nothing of the next. */
static void test_next_life(void **state)
{
	struct item *item = items_add(&supervisor.items, "loop");

	(void)state;
	tell_end(EXIT_3);
	tell(LB_STATE_STARTING);
	assert_int_equal(item->exit_status, POLICY_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end_before_result),
		cmocka_unit_test(test_next_life),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
