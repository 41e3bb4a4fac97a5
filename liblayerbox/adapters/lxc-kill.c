/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lxc-kill.h"

#include <poll.h>

#include "../util/clock.h"
#include "lxc-command.h"

/* A container costs a descriptor while it dies. */
enum { AT_A_TIME = 256, PATIENCE_MS = 10000, AGAIN_MS = 1000, UNKNOWN_AGAIN_MS = 50 };

struct dying {
	char name[64];
	bool done;
};

struct round {
	const struct runtime_task *task;
	struct dying containers[AT_A_TIME];
	struct pollfd fds[AT_A_TIME];
	size_t count, left;
};

static void report(struct round *round, size_t i, int result, const char *text)
{
	close_fd(round->fds[i].fd);
	round->fds[i].fd = -1;
	round->containers[i].done = true;
	round->left--;
	round->task->fn(round->containers[i].name, result, text, round->task->userdata);
}

static void collect(struct round *round)
{
	const char *name;

	round->count = round->left = 0;
	while (round->count < AT_A_TIME && (name = round->task->next(round->task->userdata))) {
		struct dying *container = &round->containers[round->count];

		*container = (struct dying){ 0 };
		text_copy(container->name, sizeof container->name, name);
		round->fds[round->count++] = (struct pollfd){ .fd = -1, .events = POLLIN };
		round->left++;
	}
}

static void note(struct round *round, size_t i, const struct lxc_victim *victim, bool again)
{
	/* Whose container has ended hears nobody while it tidies up; its process is waited for. */
	if (again && victim->result == -EAGAIN && round->fds[i].fd >= 0)
		return;
	close_fd(round->fds[i].fd);
	round->fds[i].fd = victim->fd;
	if (victim->result > 0)
		report(round, i, again ? 0 : 1, "");
	else if (victim->result < 0)
		report(round, i, victim->result == -EAGAIN ? -LB_ERR_TIMEOUT : victim->result,
		       "its LXC monitor does not answer");
}

/* All who are left, or those only of whose monitors something was heard, and those whose monitor is not known yet. */
static void strike(struct round *round, bool again, bool all)
{
	struct lxc_victim victims[AT_A_TIME];
	size_t indexes[AT_A_TIME], count = 0;

	for (size_t i = 0; i < round->count; i++)
		if (!round->containers[i].done && (all || round->fds[i].fd < 0 || round->fds[i].revents)) {
			victims[count] = (struct lxc_victim){ .name = round->containers[i].name };
			indexes[count++] = i;
		}
	lxc_command_kill_all(round->task->lxcpath, victims, count);
	for (size_t i = 0; i < count; i++)
		note(round, indexes[i], &victims[i], again);
}

static int until_next(const struct round *round, int64_t next_ms)
{
	int64_t left = next_ms - clock_ms();

	for (size_t i = 0; i < round->count && left > UNKNOWN_AGAIN_MS; i++)
		if (!round->containers[i].done && round->fds[i].fd < 0)
			left = UNKNOWN_AGAIN_MS;
	return left > 0 ? (int)left : 0;
}

/* One that was just rebooting has a new init now, and one whose monitor was starting has its first: they are told again. */
static void wait_for_all(struct round *round)
{
	int64_t again = clock_ms() + AGAIN_MS, end = clock_ms() + PATIENCE_MS;

	while (round->left && clock_ms() < end) {
		size_t before = round->left;
		bool all;

		poll(round->fds, round->count, until_next(round, again));
		all = clock_ms() >= again;
		if (all)
			again = clock_ms() + AGAIN_MS;
		strike(round, true, all);
		if (round->left < before)
			end = clock_ms() + PATIENCE_MS;
	}
	for (size_t i = 0; i < round->count; i++)
		if (!round->containers[i].done)
			report(round, i, -LB_ERR_TIMEOUT, "it was killed, but its LXC monitor does not end");
}

int lxc_kill_run(struct lb_context *ctx, const struct runtime_task *task)
{
	struct round *round = calloc(1, sizeof *round);

	if (!round)
		return fail_memory(ctx);
	round->task = task;
	do {
		collect(round);
		strike(round, false, true);
		wait_for_all(round);
	} while (round->count == AT_A_TIME);
	free(round);
	return 0;
}
