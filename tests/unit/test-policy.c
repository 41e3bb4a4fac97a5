/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/watch/policy.h"

/*
 * Sequences: each step is an event at a time, what must follow from it, and what is thought then. `wake` is when the
 * timer is due, from the beginning of the sequence; 0: never.
 */
struct step {
	int64_t at_s;
	enum policy_event_type event;
	int number;                   /* pid, or status */
	unsigned actions;             /* without POLICY_WRITE */
	enum health_state state;
	unsigned restarts;
	int64_t wake_s;
};

enum { EXIT_1 = 1 << 8, EXIT_0 = 0, KILLED = SIGKILL, POWERED_OFF = SIGINT, REBOOTED = SIGHUP };
enum { BEGIN_MS = 1000000, UNHEALTHY = POLICY_TELL_UNHEALTHY, RECOVERED = POLICY_TELL_RECOVERED };
enum { FAILED = POLICY_TELL_FAILED, ENDED = POLICY_SAY_ENDED };

#define NONE HEALTH_NONE
#define STARTING HEALTH_STARTING
#define HEALTHY HEALTH_HEALTHY
#define SICK HEALTH_UNHEALTHY
#define GIVEN_UP HEALTH_FAILED

static const struct policy_settings never = { .restart = RESTART_NO, .limit = 5, .retries = 3, .interval_ms = 30000 };
static const struct policy_settings on_failure = { .restart = RESTART_ON_FAILURE, .limit = 2, .retries = 3,
						   .interval_ms = 30000 };
static const struct policy_settings always = { .restart = RESTART_ALWAYS, .limit = 5, .retries = 3,
					       .interval_ms = 30000 };
static const struct policy_settings checked_never = { .has_check = true, .restart = RESTART_NO, .limit = 5,
						      .retries = 2, .interval_ms = 30000 };
static const struct policy_settings checked_cured = { .has_check = true, .restart = RESTART_ON_FAILURE, .limit = 5,
						      .retries = 2, .interval_ms = 30000 };
static const struct policy_settings slow_start = { .has_check = true, .restart = RESTART_ON_FAILURE, .limit = 5,
						   .retries = 1, .interval_ms = 10000, .start_period_ms = 20000 };

static int is_about_pid(enum policy_event_type event)
{
	return event != POLICY_ENDED;
}

static void take_step(struct policy *policy, const struct policy_settings *settings, const struct step *step, size_t i)
{
	const struct policy_event event = {
		.type = step->event,
		.now_ms = BEGIN_MS + step->at_s * 1000,
		.pid = is_about_pid(step->event) ? step->number : 0,
		.status = is_about_pid(step->event) ? 0 : step->number,
	};
	const struct health_entry before = policy->kept;
	unsigned actions = policy_next(policy, settings, &event);
	int64_t wake_ms = policy_wake(policy), expected_ms = step->wake_s ? BEGIN_MS + step->wake_s * 1000 : 0;

	if ((actions & ~(unsigned)POLICY_WRITE) != step->actions)
		fail_msg("step %zu: actions %x instead of %x", i, actions & ~(unsigned)POLICY_WRITE, step->actions);
	if (policy->kept.state != step->state)
		fail_msg("step %zu: '%s' instead of '%s'", i, health_state_name(policy->kept.state),
			 health_state_name(step->state));
	if (policy->kept.restarts != step->restarts)
		fail_msg("step %zu: %u restarts instead of %u", i, policy->kept.restarts, step->restarts);
	if (wake_ms != expected_ms)
		fail_msg("step %zu: due at %lld ms instead of %lld", i, (long long)wake_ms - BEGIN_MS,
			 (long long)expected_ms - BEGIN_MS);
	if (!(actions & POLICY_WRITE) != !memcmp(&before, &policy->kept, sizeof before))
		fail_msg("step %zu: what was kept has %schanged", i, actions & POLICY_WRITE ? "not " : "");
	if (policy->kept.state == GIVEN_UP)
		assert_int_equal(policy->kept.pid, 0);
	/* What runs and waits for its start is to be cured. */
	if (policy->kept.pid && policy->kept.start_ms && !policy->is_starting)
		assert_true(policy->kept.was_cured);
}

#define check_sequence(settings, ...)                                                          \
	do {                                                                                   \
		static const struct step steps[] = { __VA_ARGS__ };                            \
		struct policy policy_ = { 0 };                                                 \
		for (size_t i_ = 0; i_ < sizeof steps / sizeof *steps; i_++)                   \
			take_step(&policy_, (settings), &steps[i_], i_);                       \
	} while (0)

static void test_without_a_policy_it_is_left_alone(void **state)
{
	(void)state;
	check_sequence(&never, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 }, { 1, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 60, POLICY_TIMER, 0, 0, NONE, 0, 0 }, { 99, POLICY_ENDED, POWERED_OFF, ENDED, NONE, 0, 0 },
		       { 199, POLICY_TIMER, 0, 0, NONE, 0, 0 });
	check_sequence(&never, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 }, { 1, POLICY_ENDED, EXIT_0, ENDED, NONE, 0, 0 },
		       { 5, POLICY_RUNS, 8, 0, NONE, 0, 65 });
	/* What ended by a failure is down, and somebody must know. */
	check_sequence(&never, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 1, POLICY_ENDED, EXIT_1, ENDED | FAILED, GIVEN_UP, 0, 0 },
		       { 9, POLICY_TIMER, 0, 0, GIVEN_UP, 0, 0 }, { 10, POLICY_RUNS, 8, 0, NONE, 0, 70 },
		       { 70, POLICY_TIMER, 0, RECOVERED, NONE, 0, 0 });
	check_sequence(&never, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 1, POLICY_ENDED, POLICY_UNKNOWN, ENDED | FAILED, GIVEN_UP, 0, 0 });
}

static void test_stopped_on_purpose(void **state)
{
	(void)state;
	check_sequence(&always, { 0, POLICY_STOPPED, 0, 0, NONE, 0, 0 }, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 1, POLICY_STOPPED, 0, 0, NONE, 0, 0 }, { 2, POLICY_STOPPED, 0, 0, NONE, 0, 0 },
		       { 99, POLICY_TIMER, 0, 0, NONE, 0, 0 });
	/* Also while it waits for its restart, or is being restarted. */
	check_sequence(&always, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 }, { 1, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 2 },
		       { 1, POLICY_STOPPED, 0, 0, NONE, 0, 0 }, { 9, POLICY_TIMER, 0, 0, NONE, 0, 0 });
	check_sequence(&always, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 }, { 1, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 2 },
		       { 2, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 }, { 2, POLICY_STOPPED, 0, 0, NONE, 0, 0 },
		       { 9, POLICY_TIMER, 0, 0, NONE, 0, 0 });
	/* And one that was given up. */
	check_sequence(&never, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 1, POLICY_ENDED, EXIT_1, ENDED | FAILED, GIVEN_UP, 0, 0 },
		       { 2, POLICY_STOPPED, 0, 0, NONE, 0, 0 });
}

static void test_on_failure(void **state)
{
	(void)state;
	check_sequence(&on_failure, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 1, POLICY_ENDED, POWERED_OFF, ENDED, NONE, 0, 0 });
	check_sequence(&on_failure, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 1, POLICY_ENDED, EXIT_0, ENDED, NONE, 0, 0 });
	check_sequence(&on_failure, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 1, POLICY_ENDED, KILLED, ENDED, NONE, 0, 2 });
	check_sequence(&on_failure, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 1, POLICY_ENDED, REBOOTED, ENDED, NONE, 0, 2 });
	check_sequence(&on_failure, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 1, POLICY_ENDED, POLICY_UNKNOWN, ENDED, NONE, 0, 2 });
	/* A reboot from inside that succeeds is another life, and nothing else. */
	check_sequence(&on_failure, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 }, { 100, POLICY_RUNS, 8, 0, NONE, 0, 160 });
}

static void test_a_row_of_failures_ends(void **state)
{
	(void)state;
	check_sequence(&on_failure, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 1, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 2 }, { 1, POLICY_TIMER, 0, 0, NONE, 0, 2 },
		       { 2, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 }, { 2, POLICY_TIMER, 0, 0, NONE, 0, 0 },
		       { 2, POLICY_STARTED, 0, 0, NONE, 1, 0 }, { 2, POLICY_RUNS, 8, 0, NONE, 1, 62 },
		       { 3, POLICY_ENDED, EXIT_1, ENDED, NONE, 1, 5 },
		       { 5, POLICY_TIMER, 0, POLICY_START, NONE, 1, 0 }, { 5, POLICY_STARTED, 0, 0, NONE, 2, 0 },
		       { 5, POLICY_RUNS, 9, 0, NONE, 2, 65 },
		       { 6, POLICY_ENDED, EXIT_1, ENDED | FAILED, GIVEN_UP, 2, 0 },
		       { 60, POLICY_TIMER, 0, 0, GIVEN_UP, 2, 0 }, { 61, POLICY_TIMER, 0, 0, GIVEN_UP, 2, 0 },
		       /* Somebody starts it: a new row; it is well again only after a minute. */
		       { 70, POLICY_RUNS, 10, 0, NONE, 0, 130 }, { 71, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 72 },
		       { 72, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 }, { 72, POLICY_STARTED, 0, 0, NONE, 1, 0 },
		       { 72, POLICY_RUNS, 11, 0, NONE, 1, 132 }, { 132, POLICY_TIMER, 0, RECOVERED, NONE, 0, 0 },
		       { 200, POLICY_TIMER, 0, 0, NONE, 0, 0 });
	/* One that fails as a whole a second time is a change again. */
	check_sequence(&never, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 1, POLICY_ENDED, EXIT_1, ENDED | FAILED, GIVEN_UP, 0, 0 },
		       { 10, POLICY_RUNS, 8, 0, NONE, 0, 70 },
		       { 20, POLICY_ENDED, EXIT_1, ENDED | FAILED, GIVEN_UP, 0, 0 });
}

static void test_a_minute_ends_the_row(void **state)
{
	(void)state;
	check_sequence(&always, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 }, { 1, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 2 },
		       { 2, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 }, { 2, POLICY_STARTED, 0, 0, NONE, 1, 0 },
		       { 2, POLICY_RUNS, 8, 0, NONE, 1, 62 }, { 62, POLICY_TIMER, 0, 0, NONE, 0, 0 },
		       { 63, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 64 });
	/* Also where the timer came too late to say so. */
	check_sequence(&always, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 }, { 1, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 2 },
		       { 2, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 }, { 2, POLICY_STARTED, 0, 0, NONE, 1, 0 },
		       { 2, POLICY_RUNS, 8, 0, NONE, 1, 62 }, { 62, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 63 });
	check_sequence(&always, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 }, { 1, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 2 },
		       { 2, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 }, { 2, POLICY_STARTED, 0, 0, NONE, 1, 0 },
		       { 2, POLICY_RUNS, 8, 0, NONE, 1, 62 }, { 61, POLICY_ENDED, EXIT_1, ENDED, NONE, 1, 63 });
}

static void test_always_comes_back(void **state)
{
	(void)state;
	check_sequence(&always, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 1, POLICY_ENDED, POWERED_OFF, ENDED, NONE, 0, 2 },
		       { 2, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 });
}

static void test_backoff(void **state)
{
	static const int64_t waits_s[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	struct policy_settings settings = always;
	struct policy policy = { 0 };
	int64_t at_s = 0;

	(void)state;
	settings.limit = 9;
	take_step(&policy, &settings, &(struct step){ 0, POLICY_RUNS, 1, 0, NONE, 0, 60 }, 0);
	for (unsigned i = 0; i < sizeof waits_s / sizeof *waits_s; i++) {
		const int64_t due_s = at_s + waits_s[i];
		const struct step steps[] = { { at_s, POLICY_ENDED, EXIT_1, ENDED, NONE, i, due_s },
					      { due_s, POLICY_TIMER, 0, POLICY_START, NONE, i, 0 },
					      { due_s, POLICY_STARTED, 0, 0, NONE, i + 1, 0 },
					      { due_s, POLICY_RUNS, (int)i + 2, 0, NONE, i + 1, due_s + 60 } };

		for (size_t j = 0; j < sizeof steps / sizeof *steps; j++)
			take_step(&policy, &settings, &steps[j], 10 * i + j);
		at_s = due_s + 1;
	}
	take_step(&policy, &settings, &(struct step){ at_s, POLICY_ENDED, EXIT_1, ENDED | FAILED, GIVEN_UP, 9, 0 }, 99);
}

/* It is down again before anybody has seen it run. */
static void test_one_that_ends_at_once(void **state)
{
	(void)state;
	check_sequence(&on_failure, { 0, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 1 },
		       { 1, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 }, { 1, POLICY_STARTED, 0, 0, NONE, 1, 0 },
		       { 1, POLICY_ENDED, EXIT_1, ENDED, NONE, 1, 3 },
		       { 3, POLICY_TIMER, 0, POLICY_START, NONE, 1, 0 }, { 3, POLICY_STARTED, 0, 0, NONE, 2, 0 },
		       { 3, POLICY_ENDED, EXIT_1, ENDED | FAILED, GIVEN_UP, 2, 0 });
	/* And while the start has not come back. */
	check_sequence(&on_failure, { 0, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 1 },
		       { 1, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 }, { 1, POLICY_RUNS, 8, 0, NONE, 0, 61 },
		       { 1, POLICY_ENDED, EXIT_1, 0, NONE, 0, 0 }, { 1, POLICY_STARTED, 0, 0, NONE, 1, 0 },
		       { 1, POLICY_ENDED, EXIT_1, ENDED, NONE, 1, 3 });
}

static void test_a_start_that_fails(void **state)
{
	(void)state;
	check_sequence(&on_failure, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 1, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 2 },
		       { 2, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 },
		       { 3, POLICY_START_FAILED, 0, 0, NONE, 1, 5 },
		       { 5, POLICY_TIMER, 0, POLICY_START, NONE, 1, 0 },
		       { 6, POLICY_START_FAILED, 0, FAILED, GIVEN_UP, 2, 0 });
	/* Somebody else is at work: that is no failure, and takes as long as it takes. */
	check_sequence(&on_failure, { 0, POLICY_RUNS, 7, 0, NONE, 0, 60 },
		       { 1, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 2 },
		       { 2, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 },
		       { 2, POLICY_START_LATER, 0, 0, NONE, 0, 4 }, { 4, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 },
		       { 4, POLICY_START_LATER, 0, 0, NONE, 0, 8 }, /* less often the longer it takes */
		       { 8, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 },
		       { 8, POLICY_START_LATER, 0, 0, NONE, 0, 16 }, { 9, POLICY_RUNS, 8, 0, NONE, 0, 69 });
}

static void test_checks(void **state)
{
	(void)state;
	check_sequence(&checked_never, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 1, POLICY_TIMER, 0, POLICY_CHECK, STARTING, 0, 60 },
		       { 2, POLICY_TIMER, 0, 0, STARTING, 0, 60 },
		       { 2, POLICY_CHECKED_WELL, 7, 0, HEALTHY, 0, 32 },
		       { 32, POLICY_TIMER, 0, POLICY_CHECK, HEALTHY, 0, 60 },
		       { 33, POLICY_CHECKED_BAD, 7, 0, HEALTHY, 0, 60 }, { 60, POLICY_TIMER, 0, 0, HEALTHY, 0, 63 },
		       { 63, POLICY_TIMER, 0, POLICY_CHECK, HEALTHY, 0, 0 },
		       { 64, POLICY_CHECKED_BAD, 7, UNHEALTHY, SICK, 0, 94 },
		       { 94, POLICY_TIMER, 0, POLICY_CHECK, SICK, 0, 0 },
		       { 95, POLICY_CHECKED_BAD, 7, 0, SICK, 0, 125 },
		       { 125, POLICY_TIMER, 0, POLICY_CHECK, SICK, 0, 0 },
		       { 126, POLICY_CHECKED_WELL, 7, RECOVERED, HEALTHY, 0, 156 },
		       { 156, POLICY_TIMER, 0, POLICY_CHECK, HEALTHY, 0, 0 },
		       { 157, POLICY_CHECKED_WELL, 7, 0, HEALTHY, 0, 187 });
	/* A failure between two successes is forgotten. */
	check_sequence(&checked_never, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 31, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 36 },
		       { 62, POLICY_CHECKED_WELL, 7, 0, HEALTHY, 0, 92 },
		       { 63, POLICY_CHECKED_BAD, 7, 0, HEALTHY, 0, 93 },
		       { 64, POLICY_CHECKED_WELL, 7, 0, HEALTHY, 0, 94 },
		       { 65, POLICY_CHECKED_BAD, 7, 0, HEALTHY, 0, 95 });
	/* One that is frozen is neither well nor not. */
	check_sequence(&checked_never, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 31, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 36 },
		       { 62, POLICY_NOT_CHECKED, 7, 0, STARTING, 0, 60 },
		       { 63, POLICY_CHECKED_BAD, 7, UNHEALTHY, SICK, 0, 60 },
		       { 64, POLICY_NOT_CHECKED, 7, 0, SICK, 0, 60 });
}

static void test_what_cannot_be_checked(void **state)
{
	(void)state;
	check_sequence(&checked_never, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 1, POLICY_CHECKED_WELL, 7, 0, HEALTHY, 0, 31 },
		       { 31, POLICY_CHECK_FAILED, 7, 0, HEALTHY, 0, 60 },
		       { 61, POLICY_CHECK_FAILED, 7, POLICY_TELL_UNKNOWN, HEALTH_UNKNOWN, 0, 60 },
		       { 91, POLICY_CHECK_FAILED, 7, 0, HEALTH_UNKNOWN, 0, 60 },
		       { 121, POLICY_CHECKED_WELL, 7, RECOVERED, HEALTHY, 0, 151 },
		       { 151, POLICY_CHECK_FAILED, 7, 0, HEALTHY, 0, 181 },
		       { 181, POLICY_CHECKED_BAD, 7, 0, HEALTHY, 0, 211 },
		       { 211, POLICY_CHECK_FAILED, 7, 0, HEALTHY, 0, 241 },
		       { 241, POLICY_CHECKED_BAD, 7, UNHEALTHY, SICK, 0, 271 },
		       /* Somebody knows already that it is in trouble; it is not over because nobody can see it. */
		       { 271, POLICY_CHECK_FAILED, 7, 0, SICK, 0, 301 },
		       { 301, POLICY_CHECK_FAILED, 7, 0, SICK, 0, 331 },
		       { 331, POLICY_CHECKED_BAD, 7, 0, SICK, 0, 361 },
		       { 361, POLICY_CHECKED_WELL, 7, RECOVERED, HEALTHY, 0, 391 });
	/* While it starts, no sooner than failures. */
	check_sequence(&checked_never, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 1, POLICY_CHECK_FAILED, 7, 0, STARTING, 0, 6 },
		       { 6, POLICY_CHECK_FAILED, 7, 0, STARTING, 0, 11 },
		       { 31, POLICY_CHECK_FAILED, 7, POLICY_TELL_UNKNOWN, HEALTH_UNKNOWN, 0, 60 });
}

static void test_results_of_another_life_do_not_count(void **state)
{
	(void)state;
	check_sequence(&checked_never, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 1, POLICY_TIMER, 0, POLICY_CHECK, STARTING, 0, 60 },
		       { 2, POLICY_RUNS, 8, 0, STARTING, 0, 62 }, { 3, POLICY_CHECKED_WELL, 7, 0, STARTING, 0, 8 },
		       { 8, POLICY_TIMER, 0, POLICY_CHECK, STARTING, 0, 62 },
		       { 9, POLICY_ENDED, EXIT_0, ENDED, NONE, 0, 0 }, { 9, POLICY_CHECKED_BAD, 8, 0, NONE, 0, 0 },
		       { 9, POLICY_RUNS, 9, 0, STARTING, 0, 10 });
}

static void test_start_period(void **state)
{
	(void)state;
	check_sequence(&slow_start, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 1, POLICY_TIMER, 0, POLICY_CHECK, STARTING, 0, 60 },
		       { 1, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 6 },
		       { 6, POLICY_TIMER, 0, POLICY_CHECK, STARTING, 0, 60 },
		       { 19, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 24 },
		       { 24, POLICY_TIMER, 0, POLICY_CHECK, STARTING, 0, 60 },
		       { 24, POLICY_CHECKED_BAD, 7, UNHEALTHY | POLICY_RESTART, SICK, 0, 60 });
	/* Checks that come more often while it starts do not make it unhealthy sooner. */
	check_sequence(&checked_never, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 1, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 6 },
		       { 6, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 11 },
		       { 30, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 35 },
		       { 31, POLICY_CHECKED_BAD, 7, UNHEALTHY, SICK, 0, 60 });
	/* It is over when it was healthy once. */
	check_sequence(&slow_start, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 2, POLICY_CHECKED_WELL, 7, 0, HEALTHY, 0, 12 },
		       { 12, POLICY_TIMER, 0, POLICY_CHECK, HEALTHY, 0, 60 },
		       { 12, POLICY_CHECKED_BAD, 7, UNHEALTHY | POLICY_RESTART, SICK, 0, 60 });
}

static void test_an_unhealthy_one_is_restarted_once(void **state)
{
	(void)state;
	check_sequence(&checked_cured, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 1, POLICY_CHECKED_WELL, 7, 0, HEALTHY, 0, 31 },
		       { 31, POLICY_CHECKED_BAD, 7, 0, HEALTHY, 0, 60 },
		       { 61, POLICY_CHECKED_BAD, 7, UNHEALTHY | POLICY_RESTART, SICK, 0, 60 },
		       { 62, POLICY_TIMER, 0, 0, SICK, 0, 0 }, /* no check while it is restarted */
		       { 95, POLICY_TIMER, 0, 0, SICK, 0, 0 }, { 96, POLICY_ENDED, KILLED, 0, NONE, 0, 0 },
		       { 97, POLICY_RUNS, 8, 0, STARTING, 0, 157 }, { 97, POLICY_STARTED, 0, 0, STARTING, 1, 98 },
		       { 97, POLICY_RUNS, 8, 0, STARTING, 1, 98 },
		       { 98, POLICY_TIMER, 0, POLICY_CHECK, STARTING, 1, 157 },
		       { 98, POLICY_CHECKED_BAD, 8, 0, STARTING, 1, 103 },
		       { 103, POLICY_CHECKED_BAD, 8, 0, STARTING, 1, 108 },
		       { 128, POLICY_CHECKED_BAD, 8, 0, SICK, 1, 157 }, /* neither told nor restarted again */
		       { 133, POLICY_CHECKED_BAD, 8, 0, SICK, 1, 157 },
		       { 157, POLICY_TIMER, 0, 0, SICK, 1, 163 },
		       { 163, POLICY_CHECKED_WELL, 8, RECOVERED, HEALTHY, 0, 193 },
		       { 193, POLICY_CHECKED_BAD, 8, 0, HEALTHY, 0, 223 },
		       { 223, POLICY_CHECKED_BAD, 8, UNHEALTHY | POLICY_RESTART, SICK, 0, 0 });
}

static void test_a_cure_that_works(void **state)
{
	(void)state;
	check_sequence(&checked_cured, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 31, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 36 },
		       { 61, POLICY_CHECKED_BAD, 7, UNHEALTHY | POLICY_RESTART, SICK, 0, 60 },
		       { 63, POLICY_ENDED, EXIT_0, 0, NONE, 0, 0 }, { 64, POLICY_STARTED, 0, 0, NONE, 1, 0 },
		       { 64, POLICY_RUNS, 8, 0, STARTING, 1, 65 },
		       { 65, POLICY_CHECKED_WELL, 8, RECOVERED, HEALTHY, 1, 95 },
		       { 95, POLICY_CHECKED_WELL, 8, 0, HEALTHY, 1, 124 }, { 124, POLICY_TIMER, 0, 0, HEALTHY, 0, 125 });
}

static void test_a_cure_that_cannot_be(void **state)
{
	(void)state;
	/* Somebody works on it: tried again, unless it is well until then, or another life of it. */
	check_sequence(&checked_cured, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 31, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 36 },
		       { 62, POLICY_CHECKED_BAD, 7, UNHEALTHY | POLICY_RESTART, SICK, 0, 60 },
		       { 62, POLICY_START_LATER, 7, 0, SICK, 0, 60 }, { 63, POLICY_RUNS, 7, 0, SICK, 0, 64 },
		       { 64, POLICY_TIMER, 0, POLICY_RESTART, SICK, 0, 0 },
		       { 64, POLICY_START_LATER, 7, 0, SICK, 0, 68 },
		       { 65, POLICY_CHECKED_WELL, 7, RECOVERED, HEALTHY, 0, 95 });
	check_sequence(&checked_cured, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 31, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 36 },
		       { 62, POLICY_CHECKED_BAD, 7, UNHEALTHY | POLICY_RESTART, SICK, 0, 60 },
		       { 62, POLICY_START_LATER, 7, 0, SICK, 0, 60 }, { 63, POLICY_RUNS, 8, 0, STARTING, 0, 64 },
		       /* That was no cure: there is one still. */
		       { 64, POLICY_CHECKED_BAD, 8, 0, STARTING, 0, 69 },
		       { 94, POLICY_CHECKED_BAD, 8, POLICY_RESTART, SICK, 0, 123 });
	/* It powers off meanwhile, and stays down. */
	check_sequence(&checked_cured, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 31, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 36 },
		       { 62, POLICY_CHECKED_BAD, 7, UNHEALTHY | POLICY_RESTART, SICK, 0, 60 },
		       { 62, POLICY_START_LATER, 7, 0, SICK, 0, 60 },
		       { 63, POLICY_ENDED, EXIT_0, ENDED, NONE, 0, 0 });
	/* It could not be stopped: it runs on, and is not tried again. */
	check_sequence(&checked_cured, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 31, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 36 },
		       { 62, POLICY_CHECKED_BAD, 7, UNHEALTHY | POLICY_RESTART, SICK, 0, 60 },
		       { 62, POLICY_START_FAILED, 7, 0, SICK, 1, 60 }, { 63, POLICY_RUNS, 7, 0, SICK, 1, 92 },
		       { 92, POLICY_CHECKED_BAD, 7, 0, SICK, 1, 122 });
	/* It was stopped and could not be started; whether its end is told before or not. */
	check_sequence(&checked_cured, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 31, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 36 },
		       { 62, POLICY_CHECKED_BAD, 7, UNHEALTHY | POLICY_RESTART, SICK, 0, 60 },
		       { 63, POLICY_ENDED, EXIT_0, 0, NONE, 0, 0 }, { 64, POLICY_START_FAILED, 0, 0, NONE, 1, 66 },
		       { 66, POLICY_TIMER, 0, POLICY_START, NONE, 1, 0 });
	check_sequence(&checked_cured, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 31, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 36 },
		       { 62, POLICY_CHECKED_BAD, 7, UNHEALTHY | POLICY_RESTART, SICK, 0, 60 },
		       { 64, POLICY_START_FAILED, 0, 0, NONE, 1, 66 });
}

static void test_an_unhealthy_one_that_fails(void **state)
{
	(void)state;
	check_sequence(&checked_never, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 31, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 36 },
		       { 62, POLICY_CHECKED_BAD, 7, UNHEALTHY, SICK, 0, 60 },
		       { 70, POLICY_ENDED, KILLED, ENDED | FAILED, GIVEN_UP, 0, 0 },
		       { 80, POLICY_RUNS, 8, 0, STARTING, 0, 81 },
		       { 81, POLICY_CHECKED_WELL, 8, 0, HEALTHY, 0, 111 }, /* not yet */
		       { 140, POLICY_TIMER, 0, RECOVERED | POLICY_CHECK, HEALTHY, 0, 0 });
}

/* The operator stops it while it is unhealthy: it is well again when it is. */
static void test_told_outlives_a_stop(void **state)
{
	(void)state;
	check_sequence(&checked_never, { 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 },
		       { 31, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 36 },
		       { 62, POLICY_CHECKED_BAD, 7, UNHEALTHY, SICK, 0, 60 },
		       { 63, POLICY_STOPPED, 0, 0, NONE, 0, 0 }, { 70, POLICY_RUNS, 8, 0, STARTING, 0, 71 },
		       { 71, POLICY_CHECKED_BAD, 8, 0, STARTING, 0, 76 },
		       { 101, POLICY_CHECKED_BAD, 8, 0, SICK, 0, 130 },
		       { 131, POLICY_CHECKED_WELL, 8, RECOVERED, HEALTHY, 0, 161 });
}

static void test_settings_change(void **state)
{
	struct policy policy = { 0 };

	(void)state;
	take_step(&policy, &never, &(struct step){ 0, POLICY_RUNS, 7, 0, NONE, 0, 60 }, 0);
	take_step(&policy, &checked_never, &(struct step){ 5, POLICY_RUNS, 7, 0, STARTING, 0, 6 }, 1);
	take_step(&policy, &checked_never, &(struct step){ 6, POLICY_TIMER, 0, POLICY_CHECK, STARTING, 0, 60 }, 2);
	take_step(&policy, &checked_never, &(struct step){ 6, POLICY_RUNS, 7, 0, STARTING, 0, 60 }, 3);
	take_step(&policy, &checked_never, &(struct step){ 7, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 12 }, 4);
	take_step(&policy, &checked_never, &(struct step){ 12, POLICY_CHECKED_BAD, 7, 0, STARTING, 0, 17 }, 5);
	take_step(&policy, &checked_never, &(struct step){ 37, POLICY_CHECKED_BAD, 7, UNHEALTHY, SICK, 0, 60 }, 5);
	take_step(&policy, &never, &(struct step){ 38, POLICY_RUNS, 7, 0, NONE, 0, 60 }, 6);
	take_step(&policy, &checked_never, &(struct step){ 39, POLICY_RUNS, 7, 0, STARTING, 0, 40 }, 7);
	/* A result that comes when there is no check any more. */
	take_step(&policy, &checked_never, &(struct step){ 40, POLICY_TIMER, 0, POLICY_CHECK, STARTING, 0, 60 }, 8);
	take_step(&policy, &never, &(struct step){ 40, POLICY_RUNS, 7, 0, NONE, 0, 60 }, 9);
	take_step(&policy, &never, &(struct step){ 41, POLICY_CHECKED_BAD, 7, 0, NONE, 0, 60 }, 10);
}

/* ---- a supervisor that was away: only what is kept is left ---- */

static struct policy after_restart(const struct policy *policy)
{
	return (struct policy){ .kept = policy->kept };
}

static void test_another_supervisor_goes_on(void **state)
{
	struct policy_settings settings = checked_cured;
	struct policy policy = { 0 };

	(void)state;
	settings.phase_ms = 8000;
	take_step(&policy, &settings, &(struct step){ 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 }, 0);
	take_step(&policy, &settings, &(struct step){ 1, POLICY_CHECKED_WELL, 7, 0, HEALTHY, 0, 30 }, 1);
	policy = after_restart(&policy);
	take_step(&policy, &settings, &(struct step){ 100, POLICY_RUNS, 7, 0, HEALTHY, 0, 108 }, 2);
	settings.phase_ms = 0;
	take_step(&policy, &settings, &(struct step){ 107, POLICY_CHECKED_BAD, 7, 0, HEALTHY, 0, 137 }, 3);
	take_step(&policy, &settings,
		  &(struct step){ 137, POLICY_CHECKED_BAD, 7, UNHEALTHY | POLICY_RESTART, SICK, 0, 0 }, 4);
	take_step(&policy, &settings, &(struct step){ 138, POLICY_ENDED, EXIT_0, 0, NONE, 0, 0 }, 5);
	/* Killed between stop and start: the next one starts it. */
	policy = after_restart(&policy);
	take_step(&policy, &settings, &(struct step){ 150, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 }, 6);
	policy = after_restart(&policy);
	take_step(&policy, &settings, &(struct step){ 160, POLICY_RUNS, 8, 0, STARTING, 0, 161 }, 7);
	take_step(&policy, &settings, &(struct step){ 161, POLICY_CHECKED_BAD, 8, 0, STARTING, 0, 166 }, 8);
	take_step(&policy, &settings, &(struct step){ 191, POLICY_CHECKED_BAD, 8, 0, SICK, 0, 220 }, 9);
	/* Unhealthy, and told: nothing is told or restarted again. */
	policy = after_restart(&policy);
	take_step(&policy, &settings, &(struct step){ 200, POLICY_RUNS, 8, 0, SICK, 0, 200 }, 10);
	take_step(&policy, &settings, &(struct step){ 200, POLICY_CHECKED_BAD, 8, 0, SICK, 0, 220 }, 11);
}

/* The operator thinks better of it while it waits. */
static void test_no_restart_any_more(void **state)
{
	struct policy policy = { 0 };

	(void)state;
	take_step(&policy, &always, &(struct step){ 0, POLICY_RUNS, 7, 0, NONE, 0, 60 }, 0);
	take_step(&policy, &always, &(struct step){ 1, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 2 }, 1);
	take_step(&policy, &never, &(struct step){ 2, POLICY_TIMER, 0, FAILED, GIVEN_UP, 0, 0 }, 2);
}

/* Whether it had begun to shut down, nobody knows: it is stopped and started all the same. */
static void test_killed_during_the_cure(void **state)
{
	struct policy policy = { 0 };

	(void)state;
	take_step(&policy, &slow_start, &(struct step){ 0, POLICY_RUNS, 7, 0, STARTING, 0, 1 }, 0);
	take_step(&policy, &slow_start,
		  &(struct step){ 30, POLICY_CHECKED_BAD, 7, UNHEALTHY | POLICY_RESTART, SICK, 0, 60 }, 1);
	policy = after_restart(&policy);
	take_step(&policy, &slow_start, &(struct step){ 40, POLICY_RUNS, 7, 0, SICK, 0, 30 }, 2);
	take_step(&policy, &slow_start, &(struct step){ 40, POLICY_TIMER, 0, POLICY_RESTART, SICK, 0, 60 }, 3);
	/* It had ended by then. */
	policy = after_restart(&policy);
	take_step(&policy, &slow_start, &(struct step){ 50, POLICY_ENDED, EXIT_0, ENDED, NONE, 0, 30 }, 4);
	take_step(&policy, &slow_start, &(struct step){ 50, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 }, 5);
	take_step(&policy, &slow_start, &(struct step){ 51, POLICY_STARTED, 8, 0, STARTING, 1, 52 }, 6);
	/* It was somebody's, who started it again. */
	policy.kept.start_ms = BEGIN_MS;
	policy = after_restart(&policy);
	take_step(&policy, &slow_start, &(struct step){ 60, POLICY_RUNS, 9, 0, STARTING, 1, 61 }, 7);
}

/* A start that is under way is known to the next supervisor, whatever was seen of it. */
static void test_killed_during_a_start(void **state)
{
	struct policy policy = { 0 };

	(void)state;
	take_step(&policy, &always, &(struct step){ 0, POLICY_ENDED, EXIT_1, ENDED, NONE, 0, 1 }, 0);
	take_step(&policy, &always, &(struct step){ 1, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 }, 1);
	take_step(&policy, &always, &(struct step){ 1, POLICY_RUNS, 8, 0, NONE, 0, 61 }, 2);
	/* It is not restarted because of that. */
	assert_int_equal(policy.kept.start_ms, 0);
	take_step(&policy, &always, &(struct step){ 2, POLICY_ENDED, EXIT_1, 0, NONE, 0, 0 }, 3);
	policy = after_restart(&policy);
	take_step(&policy, &always, &(struct step){ 9, POLICY_TIMER, 0, POLICY_START, NONE, 0, 0 }, 4);
}

static void test_what_failed_stays_failed(void **state)
{
	struct policy policy = { 0 };

	(void)state;
	take_step(&policy, &never, &(struct step){ 0, POLICY_RUNS, 7, 0, NONE, 0, 60 }, 0);
	take_step(&policy, &never, &(struct step){ 1, POLICY_ENDED, EXIT_1, ENDED | FAILED, GIVEN_UP, 0, 0 }, 1);
	policy = after_restart(&policy);
	take_step(&policy, &never, &(struct step){ 50, POLICY_TIMER, 0, 0, GIVEN_UP, 0, 0 }, 2);
	take_step(&policy, &never, &(struct step){ 60, POLICY_RUNS, 8, 0, NONE, 0, 120 }, 3);
	policy = after_restart(&policy);
	take_step(&policy, &never, &(struct step){ 200, POLICY_RUNS, 8, RECOVERED, NONE, 0, 0 }, 4);
	/* It waits for its next start: so does the next supervisor. */
	policy = (struct policy){ 0 };
	take_step(&policy, &always, &(struct step){ 0, POLICY_RUNS, 7, 0, NONE, 0, 60 }, 5);
	take_step(&policy, &always, &(struct step){ 1, POLICY_ENDED, EXIT_0, ENDED, NONE, 0, 2 }, 6);
	policy = after_restart(&policy);
	take_step(&policy, &always, &(struct step){ 1, POLICY_TIMER, 0, 0, NONE, 0, 2 }, 7);
}

/* Whatever comes in whatever order: no alert twice, no action while its result has not come. */
static void test_any_order(void **state)
{
	static const struct policy_settings *const all[] = { &never, &on_failure, &always, &checked_never,
							     &checked_cured, &slow_start };
	static const int statuses[] = { EXIT_0, EXIT_1, KILLED, POWERED_OFF, REBOOTED, POLICY_UNKNOWN };

	(void)state;
	for (unsigned seed = 1; seed <= 2000; seed++) {
		const struct policy_settings *settings = all[seed % (sizeof all / sizeof *all)];
		struct policy policy = { 0 };
		int64_t now_ms = BEGIN_MS;
		bool is_known_unhealthy = false;

		srand(seed);
		for (unsigned i = 0; i < 300; i++) {
			const struct policy before = policy;
			struct policy_event event = { .type = (enum policy_event_type)(rand() % (POLICY_TIMER + 1)),
						      .pid = rand() % 3, .status = statuses[rand() % 6] };
			unsigned actions;

			now_ms += rand() % 20000;
			event.now_ms = now_ms;
			if (event.type == POLICY_RUNS && !event.pid)
				event.pid = 3;
			actions = policy_next(&policy, settings, &event);
			assert_false((actions & POLICY_TELL_UNHEALTHY) && is_known_unhealthy);
			if (actions & POLICY_TELL_UNHEALTHY)
				is_known_unhealthy = true;
			if (policy.kept.told != HEALTH_TOLD_UNHEALTHY)
				is_known_unhealthy = false;
			assert_false((actions & POLICY_TELL_RECOVERED) && before.kept.told == HEALTH_TOLD_NOTHING);
			assert_false((actions & POLICY_TELL_FAILED) && before.kept.state == GIVEN_UP &&
				     event.type != POLICY_ENDED && event.type != POLICY_START_FAILED);
			assert_false((actions & (POLICY_START | POLICY_RESTART)) && before.is_starting);
			assert_false((actions & POLICY_START) && (actions & POLICY_RESTART));
			assert_false((actions & POLICY_CHECK) && before.is_checking && before.check_ms == 0);
			assert_false((actions & (POLICY_START | POLICY_RESTART)) && settings->restart == RESTART_NO);
			assert_true(policy.kept.restarts <= settings->limit);
			if (rand() % 50 == 0)
				policy = after_restart(&policy);
		}
	}
}

static void test_ends(void **state)
{
	static const struct {
		int status;
		bool is_failure;
		const char *text;
	} cases[] = {
		{ EXIT_0, false, "ended with status 0" },
		{ EXIT_1, true, "ended with status 1" },
		{ 0x300, true, "ended with status 3" },
		{ KILLED, true, "was ended by signal 9 (SIGKILL)" },
		{ SIGSEGV | 0x80, true, "was ended by signal 11 (SIGSEGV)" },
		{ POWERED_OFF, false, "powered off" },
		{ REBOOTED, true, "did not come back from a reboot" },
		{ POLICY_UNKNOWN, true, "ended, nobody saw how" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[64];

		assert_int_equal(policy_is_failure(cases[i].status), cases[i].is_failure);
		policy_describe_end(cases[i].status, text, sizeof text);
		assert_string_equal(text, cases[i].text);
	}
}

static void test_settings(void **state)
{
	char tcp[] = "1883";
	struct record record = { 0 };
	struct policy_settings settings = policy_settings_of(&record, "a", "no");

	(void)state;
	assert_false(settings.has_check);
	assert_int_equal(settings.restart, RESTART_NO);
	assert_int_equal(settings.limit, 5);
	assert_int_equal(settings.retries, 3);
	assert_int_equal(settings.interval_ms, 30000);
	assert_int_equal(settings.start_period_ms, 0);
	assert_in_range(settings.phase_ms, 0, 29999);
	settings = policy_settings_of(NULL, "a", "always");
	assert_int_equal(settings.restart, RESTART_ALWAYS);
	assert_false(settings.has_check);
	record = (struct record){ .health = { .tcp = tcp, .interval_s = 1, .retries = 1, .start_period_s = 9 },
				  .restart_policy = RESTART_ON_FAILURE, .restart_limit = 1 };
	settings = policy_settings_of(&record, "a", "always");
	assert_true(settings.has_check);
	assert_int_equal(settings.restart, RESTART_ON_FAILURE);
	assert_int_equal(settings.limit, 1);
	assert_int_equal(settings.retries, 1);
	assert_int_equal(settings.interval_ms, 1000);
	assert_int_equal(settings.start_period_ms, 9000);
	record.restart_policy = RESTART_NO;
	assert_int_equal(policy_settings_of(&record, "a", "always").restart, RESTART_NO);
	record.restart_policy = RESTART_DEFAULT;
	assert_int_equal(policy_settings_of(&record, "a", "on-failure").restart, RESTART_ON_FAILURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_policy_it_is_left_alone),
		cmocka_unit_test(test_stopped_on_purpose),
		cmocka_unit_test(test_on_failure),
		cmocka_unit_test(test_a_row_of_failures_ends),
		cmocka_unit_test(test_a_minute_ends_the_row),
		cmocka_unit_test(test_always_comes_back),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_one_that_ends_at_once),
		cmocka_unit_test(test_a_start_that_fails),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_what_cannot_be_checked),
		cmocka_unit_test(test_results_of_another_life_do_not_count),
		cmocka_unit_test(test_start_period),
		cmocka_unit_test(test_an_unhealthy_one_is_restarted_once),
		cmocka_unit_test(test_a_cure_that_works),
		cmocka_unit_test(test_a_cure_that_cannot_be),
		cmocka_unit_test(test_an_unhealthy_one_that_fails),
		cmocka_unit_test(test_told_outlives_a_stop),
		cmocka_unit_test(test_settings_change),
		cmocka_unit_test(test_another_supervisor_goes_on),
		cmocka_unit_test(test_no_restart_any_more),
		cmocka_unit_test(test_killed_during_the_cure),
		cmocka_unit_test(test_killed_during_a_start),
		cmocka_unit_test(test_what_failed_stays_failed),
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests_name("policy", tests, scratch_enter, scratch_leave);
}
