/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lxc-kill.h"

#include <poll.h>

#include "../util/clock.h"
#include "lxc-command.h"

/* A container costs a descriptor while it dies. */
enum { AT_A_TIME = 256, PATIENCE_MS = 10000, AGAIN_MS = 1000, UNKNOWN_AGAIN_MS = 50 };

struct dying {
	char name[64];
	int64_t next_ms;              /* when its monitor is told (again) */
	bool told, done;
};

struct round {
	const struct runtime_task *task;
	struct dying containers[AT_A_TIME];
	struct pollfd fds[AT_A_TIME]; /* of the monitors' processes, where they are known */
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

/*
 * Who has told its container to end, or has seen it end and tidies up, may hear nobody for a while. One that was just
 * rebooting has a new init now, and one whose monitor was starting has its first: they are told again.
 */
static void note(struct round *round, size_t i, const struct lxc_victim *victim)
{
	struct dying *container = &round->containers[i];
	struct pollfd *monitor = &round->fds[i];
	bool is_known = victim->fd >= 0 || (monitor->fd >= 0 && !monitor->revents);

	if (victim->result > 0) {
		report(round, i, container->told ? 0 : 1, "");
		return;
	}
	if (victim->result < 0 && victim->result != -EAGAIN) {
		report(round, i, victim->result, lxc_command_failure(victim->result));
		return;
	}
	if (victim->fd >= 0 || !is_known) {
		close_fd(monitor->fd);
		monitor->fd = victim->fd;
	}
	container->told = container->told || victim->result == 0;
	container->next_ms = clock_ms() + (is_known ? AGAIN_MS : UNKNOWN_AGAIN_MS);
}

/* All whose turn it is, and those of whose monitors one has ended. */
static void strike(struct round *round)
{
	struct lxc_victim victims[AT_A_TIME];
	size_t indexes[AT_A_TIME], count = 0;
	int64_t now = clock_ms();

	for (size_t i = 0; i < round->count; i++) {
		const struct dying *container = &round->containers[i];

		if (container->done || (!round->fds[i].revents && container->next_ms > now))
			continue;
		victims[count] = (struct lxc_victim){ .name = container->name };
		indexes[count++] = i;
	}
	lxc_command_kill_all(round->task->lxcpath, victims, count);
	for (size_t i = 0; i < count; i++)
		note(round, indexes[i], &victims[i]);
}

static int until_next(const struct round *round, int64_t end_ms)
{
	int64_t next = end_ms, now = clock_ms();

	for (size_t i = 0; i < round->count; i++)
		if (!round->containers[i].done && round->containers[i].next_ms < next)
			next = round->containers[i].next_ms;
	return next > now ? (int)(next - now) : 0;
}

/* Their patience begins anew whenever one has ended: where many do, each takes its time. */
static void kill_round(struct round *round)
{
	int64_t end = clock_ms() + PATIENCE_MS;

	while (round->left && clock_ms() < end) {
		size_t before = round->left;

		strike(round);
		if (round->left < before)
			end = clock_ms() + PATIENCE_MS;
		if (round->left)
			poll(round->fds, round->count, until_next(round, end));
	}
	for (size_t i = 0; i < round->count; i++)
		if (!round->containers[i].done)
			report(round, i, -LB_ERR_TIMEOUT,
			       round->containers[i].told ? "it was killed, but its LXC monitor does not end" :
							   "its LXC monitor does not answer");
}

int lxc_kill_run(struct lb_context *ctx, const struct runtime_task *task)
{
	struct round *round = calloc(1, sizeof *round);
	bool more;

	if (!round)
		return fail_memory(ctx);
	round->task = task;
	do {
		more = task->begin && task->begin(task->userdata, AT_A_TIME);
		collect(round);
		kill_round(round);
	} while (more);
	free(round);
	return 0;
}
