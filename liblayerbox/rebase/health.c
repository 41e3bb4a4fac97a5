/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "health.h"

#include <stdio.h>
#include <time.h>

#include "../health/check.h"

enum { PAUSE_MS = 200, SETTLING_S = 1, WORD_MAX = 256, NOT_THERE = 127, COULD_NOT_RUN = 126 };

/*
 * Runs a program in the container, for at most @timeout_s, and keeps the beginning of what it prints. Its status as for
 * lb_container_exec(), or a negative code. The program may be anything: neither its end nor timeout(1) of the
 * container's can be counted on, and no file of the host's is its to fill.
 */
static int ask(struct lb_container *container, const struct text_list *words, unsigned timeout_s,
	       char ret_output[WORD_MAX])
{
	CLEANUP_FREE char *output = NULL;
	int status, r = container_exec_shortly(container, (const char *const *)words->items, timeout_s ? timeout_s : 1,
					       &status, &output);

	if (r < 0)
		return r;
	snprintf(ret_output, WORD_MAX, "%.*s", (int)strcspn(output, "\n"), output);
	text_printable(ret_output);
	return status;
}

static int ask_systemd(struct lb_container *container, unsigned timeout_s, char ret_state[WORD_MAX])
{
	CLEANUP_TEXT_LIST struct text_list words = { 0 };

	if (text_list_add_words(&words, "systemctl is-system-running") < 0)
		return fail_memory(container->ctx);
	return ask(container, &words, timeout_s, ret_state);
}

bool health_is_degraded(struct lb_context *ctx, const char *name)
{
	CLEANUP(container_cleanup) struct lb_container *container = NULL;
	char state[WORD_MAX];

	return lb_container_open(ctx, name, &container) == 0 && ask_systemd(container, 5, state) >= 0 &&
	       text_equal(state, "degraded");
}

static unsigned seconds_left(const struct timespec *end)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec < end->tv_sec ? (unsigned)(end->tv_sec - now.tv_sec) : 0;
}

/* Without systemd, that it still runs after a moment is all there is to know. */
static int has_settled(struct lb_container *container, unsigned timeout_s)
{
	const struct timespec settling = { .tv_sec = timeout_s < SETTLING_S ? timeout_s : SETTLING_S };
	int r;

	nanosleep(&settling, NULL);
	r = container_ask(container);
	return r < 0 ? r : container->live.state == LB_STATE_RUNNING ? 1 : -LB_ERR_NOT_RUNNING;
}

/* 1, 0, or a negative code. */
static int is_up(struct lb_container *container, bool may_be_degraded, unsigned timeout_s, char ret_state[WORD_MAX])
{
	int status = ask_systemd(container, timeout_s, ret_state);

	if (status < 0)
		return status;
	if (status == NOT_THERE || status == COULD_NOT_RUN)
		return has_settled(container, timeout_s);
	return text_equal(ret_state, "running") || (may_be_degraded && text_equal(ret_state, "degraded"));
}

/* Its own check, which has no longer than what is left of the time. */
static int run_check(struct lb_container *container, unsigned timeout_s)
{
	struct health_settings *health = &container->record.health;
	char why[HEALTH_WHY_SIZE];
	int r;

	if (timeout_s < health_timeout(&container->record))
		health->timeout_s = timeout_s ? timeout_s : 1;
	r = health_check(container->ctx, container, why, sizeof why);
	if (r <= 0)
		return r;
	return fail(container->ctx, -LB_ERR_UNHEALTHY, "container '%s': %s", container->name, why);
}

int health_wait(struct lb_context *ctx, const char *name, bool may_be_degraded, unsigned timeout_s)
{
	CLEANUP(container_cleanup) struct lb_container *container = NULL;
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000 };
	struct timespec end;
	char state[WORD_MAX] = "";
	int r = lb_container_open(ctx, name, &container);

	if (r < 0)
		return r;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += timeout_s;
	do {
		r = is_up(container, may_be_degraded, seconds_left(&end), state);
		if (r == 1)
			r = run_check(container, seconds_left(&end));
		else if (r == 0)
			r = 1;
		if (r == -LB_ERR_NOT_RUNNING)
			return fail(ctx, -LB_ERR_UNHEALTHY, "container '%s' did not stay up: it has stopped again",
				    name);
		/* What the host could not do now, it may be able to do in a moment. */
		if (r == 0 || (r < 0 && r != -LB_ERR_UNHEALTHY && r != -LB_ERR_RUNTIME))
			return r;
		nanosleep(&pause, NULL);
	} while (seconds_left(&end));
	if (r < 0)
		return r;
	return fail(ctx, -LB_ERR_UNHEALTHY, "container '%s' did not come up within %u seconds: its systemd says \"%s\"",
		    name, timeout_s, state);
}
