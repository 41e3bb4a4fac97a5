/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy.h"

enum {
	SETTLING_MS = 60000,
	BACKOFF_FIRST_MS = 1000,
	BACKOFF_MAX_MS = 60000,
	LATER_MS = 2000,
	FIRST_CHECK_MS = 1000,        /* after a start */
	STARTING_INTERVAL_MS = 5000,  /* while it is starting, so that it is not thought to be for long when it is not */
};

/* ---- running ---- */

static bool is_settled(const struct policy *policy, const struct policy_settings *settings, int64_t now_ms)
{
	return policy->kept.pid && now_ms - policy->kept.since_ms >= SETTLING_MS &&
	       (!settings->has_check || policy->kept.state == HEALTH_HEALTHY);
}

/* The row ends; what was told of it is over. */
static unsigned settle(struct policy *policy, const struct policy_settings *settings, int64_t now_ms)
{
	if (policy->settle_ms && now_ms >= policy->settle_ms)
		policy->settle_ms = 0;
	if (!is_settled(policy, settings, now_ms))
		return 0;
	policy->kept.restarts = 0;
	if (policy->kept.told != HEALTH_TOLD_FAILED)
		return 0;
	policy->kept.told = HEALTH_TOLD_NOTHING;
	return POLICY_TELL_RECOVERED;
}

static bool is_told_of_checks(const struct health_entry *kept)
{
	return kept->told == HEALTH_TOLD_UNHEALTHY || kept->told == HEALTH_TOLD_UNKNOWN;
}

/* Somebody has set a check, or taken it away, or the supervisor was away for a while. */
static void follow_settings(struct policy *policy, const struct policy_settings *settings, int64_t now_ms)
{
	struct health_entry *kept = &policy->kept;

	if (!settings->has_check) {
		kept->state = HEALTH_NONE;
		kept->failures = 0;
		kept->was_cured = false;
		kept->start_ms = policy->is_starting ? kept->start_ms : 0;
		if (is_told_of_checks(kept))
			kept->told = HEALTH_TOLD_NOTHING;
		policy->check_ms = 0;
		return;
	}
	if (kept->state == HEALTH_NONE)
		kept->state = HEALTH_STARTING;
	if (!policy->check_ms && !policy->is_checking)
		policy->check_ms = now_ms + (kept->state == HEALTH_STARTING ? FIRST_CHECK_MS : settings->phase_ms);
}

/* What was put off was never begun: a cure that is off does not count as one. */
static void call_off(struct health_entry *kept, int64_t now_ms)
{
	if (kept->start_ms <= now_ms)
		return;
	kept->start_ms = 0;
	kept->was_cured = false;
}

static void runs(struct policy *policy, const struct policy_settings *settings, const struct policy_event *event)
{
	struct health_entry *kept = &policy->kept;

	if (kept->pid != event->pid) {
		/* Whatever was wanted of the life before: here is another one. */
		call_off(kept, event->now_ms);
		kept->start_ms = 0;
		policy->times_later = 0;
		/* Who starts by hand what has failed begins a new row. */
		if (kept->state == HEALTH_FAILED)
			kept->restarts = 0;
		kept->pid = event->pid;
		kept->since_ms = event->now_ms;
		kept->state = HEALTH_NONE;
		kept->failures = 0;
		policy->check_ms = 0;
		policy->count_ms = 0;
		policy->unknown = 0;
	}
	if (kept->state == HEALTH_FAILED) /* nobody writes that of one that runs */
		kept->state = HEALTH_NONE;
	follow_settings(policy, settings, event->now_ms);
	if (event->now_ms < kept->since_ms + SETTLING_MS)
		policy->settle_ms = kept->since_ms + SETTLING_MS;
}

/* ---- not running ---- */

static void goes_down(struct policy *policy, int64_t now_ms)
{
	policy->kept.pid = 0;
	policy->kept.since_ms = now_ms;
	policy->kept.state = HEALTH_NONE;
	policy->kept.failures = 0;
	policy->check_ms = 0;
	policy->settle_ms = 0;
}

static unsigned fails(struct policy *policy)
{
	policy->kept.state = HEALTH_FAILED;
	policy->kept.start_ms = 0;
	policy->kept.told = HEALTH_TOLD_FAILED;
	return POLICY_TELL_FAILED;
}

static int64_t backoff_ms(int64_t first_ms, unsigned times)
{
	int64_t wait_ms = first_ms;

	while (times-- && wait_ms < BACKOFF_MAX_MS)
		wait_ms *= 2;
	return wait_ms < BACKOFF_MAX_MS ? wait_ms : BACKOFF_MAX_MS;
}

/* The next start of the row, or the end of it. */
static unsigned start_again(struct policy *policy, const struct policy_settings *settings, int64_t now_ms)
{
	if (policy->kept.restarts >= settings->limit)
		return fails(policy);
	policy->kept.start_ms = now_ms + backoff_ms(BACKOFF_FIRST_MS, policy->kept.restarts);
	return 0;
}

static unsigned ended(struct policy *policy, const struct policy_settings *settings, const struct policy_event *event)
{
	bool failed = policy_is_failure(event->status);

	goes_down(policy, event->now_ms);
	/* Ours: what became of it, its result says, or the next supervisor finds out. */
	if (policy->is_starting) {
		policy->kept.start_ms = policy->kept.start_ms ? policy->kept.start_ms : event->now_ms;
		return 0;
	}
	call_off(&policy->kept, event->now_ms);
	if (settings->restart == RESTART_ALWAYS || (settings->restart == RESTART_ON_FAILURE && failed))
		return POLICY_SAY_ENDED | start_again(policy, settings, event->now_ms);
	return POLICY_SAY_ENDED | (failed ? fails(policy) : 0);
}

/* Whoever stopped it knows; that it was in trouble before is over when it is well again. */
static void stopped(struct policy *policy, int64_t now_ms)
{
	const struct health_entry *kept = &policy->kept;

	if (!kept->pid && !kept->start_ms && kept->state == HEALTH_NONE && !kept->restarts && !policy->is_starting)
		return;
	goes_down(policy, now_ms);
	policy->is_starting = false;
	policy->times_later = 0;
	policy->kept.start_ms = 0;
	policy->kept.restarts = 0;
	policy->kept.was_cured = false;
}

static unsigned start_failed(struct policy *policy, const struct policy_settings *settings,
			     const struct policy_event *event)
{
	if (event->pid)
		return 0;
	goes_down(policy, event->now_ms);
	return settings->restart == RESTART_NO ? fails(policy) : start_again(policy, settings, event->now_ms);
}

/* Somebody works on it, who may need long: it stays to be done, and does not count as a restart. */
static void start_later(struct policy *policy, const struct policy_event *event)
{
	if (!event->pid)
		goes_down(policy, event->now_ms);
	policy->kept.start_ms = event->now_ms + backoff_ms(LATER_MS, policy->times_later);
	policy->times_later++;
}

static unsigned start_done(struct policy *policy, const struct policy_settings *settings,
			   const struct policy_event *event)
{
	policy->is_starting = false;
	if (event->type == POLICY_START_LATER) {
		start_later(policy, event);
		return 0;
	}
	policy->times_later = 0;
	policy->kept.start_ms = 0;
	policy->kept.restarts++;
	if (event->type == POLICY_START_FAILED)
		return start_failed(policy, settings, event);
	if (event->pid)
		runs(policy, settings, event);
	return 0;
}

/* ---- checks ---- */

/*
 * That it is to be started stays written until it has been: if not by this supervisor then by the next one. One that
 * runs is stopped first: it was to be cured.
 */
static unsigned start_now(struct policy *policy, const struct policy_settings *settings)
{
	bool is_up = policy->kept.pid;

	if (settings->restart == RESTART_NO) {
		policy->kept.start_ms = 0;
		policy->kept.was_cured = false;
		return is_up ? 0 : fails(policy);
	}
	policy->is_starting = true;
	return is_up ? POLICY_RESTART : POLICY_START;
}

/* An eighth less for some than for others: those that were started together do not stay together. */
static int64_t interval_ms(const struct policy_settings *settings)
{
	return settings->interval_ms - settings->phase_ms / 8;
}

/* One that is starting is checked more often, so that it is seen when it is up; but it has as long as others have. */
static bool counts(struct policy *policy, const struct policy_settings *settings, int64_t now_ms)
{
	if (policy->kept.state == HEALTH_STARTING &&
	    (now_ms < policy->count_ms || now_ms - policy->kept.since_ms < settings->start_period_ms))
		return false;
	policy->count_ms = now_ms + interval_ms(settings);
	return true;
}

static void check_again(struct policy *policy, const struct policy_settings *settings, int64_t now_ms)
{
	int64_t wait_ms = interval_ms(settings);

	if (policy->kept.state == HEALTH_STARTING && wait_ms > STARTING_INTERVAL_MS)
		wait_ms = STARTING_INTERVAL_MS;
	policy->check_ms = now_ms + wait_ms;
}

static unsigned checked_well(struct policy *policy, const struct policy_settings *settings, int64_t now_ms)
{
	struct health_entry *kept = &policy->kept;
	unsigned actions = 0;

	kept->failures = 0;
	policy->unknown = 0;
	kept->state = HEALTH_HEALTHY;
	kept->was_cured = false;
	kept->start_ms = policy->is_starting ? kept->start_ms : 0;
	if (is_told_of_checks(kept)) {
		kept->told = HEALTH_TOLD_NOTHING;
		actions = POLICY_TELL_RECOVERED;
	}
	return actions | settle(policy, settings, now_ms);
}

/* Restarts it where that may help, and has not been tried. */
static unsigned cure(struct policy *policy, const struct policy_settings *settings, int64_t now_ms)
{
	if (settings->restart == RESTART_NO || policy->kept.was_cured || policy->is_starting ||
	    policy->kept.restarts >= settings->limit)
		return 0;
	policy->kept.was_cured = true;
	policy->kept.start_ms = now_ms;
	return start_now(policy, settings);
}

static unsigned checked_bad(struct policy *policy, const struct policy_settings *settings, int64_t now_ms)
{
	struct health_entry *kept = &policy->kept;
	unsigned actions = 0;

	policy->unknown = 0;
	if (!counts(policy, settings, now_ms))
		return 0;
	if (kept->failures < settings->retries)
		kept->failures++;
	if (kept->failures < settings->retries)
		return 0;
	kept->state = HEALTH_UNHEALTHY;
	if (kept->told != HEALTH_TOLD_UNHEALTHY)
		actions = POLICY_TELL_UNHEALTHY;
	kept->told = HEALTH_TOLD_UNHEALTHY;
	return actions | cure(policy, settings, now_ms);
}

/* What was well is not for ever; what somebody was told to be sick is, until it is seen to be well. */
static unsigned check_failed(struct policy *policy, const struct policy_settings *settings, int64_t now_ms)
{
	struct health_entry *kept = &policy->kept;

	if (!counts(policy, settings, now_ms) || ++policy->unknown < settings->retries)
		return 0;
	policy->unknown = settings->retries;
	kept->state = kept->told == HEALTH_TOLD_UNHEALTHY ? HEALTH_UNHEALTHY : HEALTH_UNKNOWN;
	if (kept->told)
		return 0;
	kept->told = HEALTH_TOLD_UNKNOWN;
	return POLICY_TELL_UNKNOWN;
}

static unsigned checked(struct policy *policy, const struct policy_settings *settings, const struct policy_event *event)
{
	unsigned actions = 0;

	policy->is_checking = false;
	/* It may have ended, or begun another life, while it was checked. */
	if (!policy->kept.pid || !settings->has_check)
		return 0;
	if (policy->kept.pid == event->pid && event->type == POLICY_CHECKED_WELL)
		actions = checked_well(policy, settings, event->now_ms);
	else if (policy->kept.pid == event->pid && event->type == POLICY_CHECKED_BAD)
		actions = checked_bad(policy, settings, event->now_ms);
	else if (policy->kept.pid == event->pid && event->type == POLICY_CHECK_FAILED)
		actions = check_failed(policy, settings, event->now_ms);
	check_again(policy, settings, event->now_ms);
	return actions;
}

/* ---- time ---- */

static unsigned timer(struct policy *policy, const struct policy_settings *settings, int64_t now_ms)
{
	unsigned actions = settle(policy, settings, now_ms);

	if (policy->kept.start_ms && now_ms >= policy->kept.start_ms && !policy->is_starting)
		actions |= start_now(policy, settings);
	if (policy->check_ms && now_ms >= policy->check_ms && !policy->is_starting) {
		policy->check_ms = 0;
		policy->is_checking = true;
		actions |= POLICY_CHECK;
	}
	return actions;
}

int64_t policy_wake(const struct policy *policy)
{
	const int64_t times[] = { policy->is_starting ? 0 : policy->check_ms,
				  policy->is_starting ? 0 : policy->kept.start_ms, policy->settle_ms };
	int64_t wake = 0;

	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		if (times[i] && (!wake || times[i] < wake))
			wake = times[i];
	return wake;
}

static unsigned take(struct policy *policy, const struct policy_settings *settings, const struct policy_event *event)
{
	unsigned settled;

	switch (event->type) {
	case POLICY_RUNS:
		runs(policy, settings, event);
		return settle(policy, settings, event->now_ms);
	case POLICY_ENDED:
		settled = settle(policy, settings, event->now_ms);
		return settled | ended(policy, settings, event);
	case POLICY_STOPPED:
		settled = settle(policy, settings, event->now_ms);
		stopped(policy, event->now_ms);
		return settled;
	case POLICY_CHECKED_WELL:
	case POLICY_CHECKED_BAD:
	case POLICY_NOT_CHECKED:
	case POLICY_CHECK_FAILED:
		return checked(policy, settings, event);
	case POLICY_STARTED:
	case POLICY_START_FAILED:
	case POLICY_START_LATER:
		return policy->is_starting ? start_done(policy, settings, event) : 0;
	case POLICY_TIMER:
		return timer(policy, settings, event->now_ms);
	}
	return 0;
}

static bool is_same(const struct health_entry *a, const struct health_entry *b)
{
	return a->state == b->state && a->pid == b->pid && a->since_ms == b->since_ms && a->start_ms == b->start_ms &&
	       a->failures == b->failures && a->restarts == b->restarts && a->told == b->told &&
	       a->was_cured == b->was_cured;
}

unsigned policy_next(struct policy *policy, const struct policy_settings *settings, const struct policy_event *event)
{
	const struct health_entry before = policy->kept;
	unsigned actions = take(policy, settings, event);

	return actions | (is_same(&before, &policy->kept) ? 0 : POLICY_WRITE);
}
