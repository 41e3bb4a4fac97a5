/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lxc-kill.h"

#include <poll.h>

#include "../util/clock.h"
#include "lxc-command.h"

/* A container costs a descriptor while it dies. */
enum { AT_A_TIME = 256, PATIENCE_MS = 10000, AGAIN_MS = 1000 };

struct victim {
	char name[64];
	bool done;
};

struct round {
	const struct runtime_task *task;
	struct victim victims[AT_A_TIME];
	struct pollfd fds[AT_A_TIME];
	size_t count, left;
};

static void report(struct round *round, size_t i, int result, const char *text)
{
	close_fd(round->fds[i].fd);
	round->fds[i].fd = -1;
	round->victims[i].done = true;
	round->left--;
	round->task->fn(round->victims[i].name, result, text, round->task->userdata);
}

/* Where its monitor cannot be asked, it is told at once. */
static void strike(struct round *round, size_t i, bool again)
{
	int fd = -1, r = lxc_command_kill(round->task->lxcpath, round->victims[i].name, &fd);

	close_fd(round->fds[i].fd);
	round->fds[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
	if (r > 0)
		report(round, i, again ? 0 : 1, "");
	else if (r < 0)
		report(round, i, r, "its LXC monitor does not answer");
}

static void collect(struct round *round)
{
	const char *name;

	round->count = round->left = 0;
	while (round->count < AT_A_TIME && (name = round->task->next(round->task->userdata))) {
		struct victim *victim = &round->victims[round->count];

		*victim = (struct victim){ 0 };
		text_copy(victim->name, sizeof victim->name, name);
		round->fds[round->count++].fd = -1;
		round->left++;
	}
}

/* One that was just rebooting has a new init now, and one whose monitor was starting has its first. */
static void strike_again(struct round *round)
{
	for (size_t i = 0; i < round->count; i++)
		if (!round->victims[i].done)
			strike(round, i, true);
}

static void hear(struct round *round)
{
	for (size_t i = 0; i < round->count; i++) {
		if (round->victims[i].done || !round->fds[i].revents)
			continue;
		if (lxc_command_has_monitor(round->task->lxcpath, round->victims[i].name))
			strike(round, i, true);
		else
			report(round, i, 0, "");
	}
}

static void wait_for_all(struct round *round)
{
	int64_t begin = clock_ms(), next = begin + AGAIN_MS, now;

	while (round->left && (now = clock_ms()) - begin < PATIENCE_MS) {
		if (now >= next) {
			strike_again(round);
			next = now + AGAIN_MS;
		} else if (poll(round->fds, round->count, (int)(next - now)) > 0) {
			hear(round);
		}
	}
	for (size_t i = 0; i < round->count; i++)
		if (!round->victims[i].done)
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
		for (size_t i = 0; i < round->count; i++)
			strike(round, i, false);
		wait_for_all(round);
	} while (round->count == AT_A_TIME);
	free(round);
	return 0;
}
