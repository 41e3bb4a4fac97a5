/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting for the end of a container: that of its monitor, which outlives a reboot from inside and then has another
 * init. Both are followed by pidfds; only a reboot, and a command that is about to start it again, are looked for.
 */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "../adapters/process.h"
#include "../core/lock.h"
#include "container.h"

enum { LOOK_MS = 20, RESTART_MS = 1000 };

struct watched {
	struct process init, monitor;
	bool init_ended;
	int status;                   /* of init as wait(2) has it, or UNKNOWN */
};

enum { UNKNOWN = -1 };

enum happened { ENDED, REBOOTED, STOPPED_WAITING };

static void watched_close(struct watched *watched)
{
	process_close(&watched->init);
	process_close(&watched->monitor);
}

static bool is_readable(int fd, int timeout_ms)
{
	struct pollfd item = { .fd = fd, .events = POLLIN };

	return poll(&item, 1, timeout_ms) > 0;
}

/* Opens both; -ESRCH where they changed meanwhile. */
static int watched_open(struct lb_container *container, struct watched *ret_watched)
{
	struct watched watched = { .init = PROCESS_NONE, .monitor = PROCESS_NONE, .status = UNKNOWN };
	pid_t pid = container->live.pid;
	int r = process_open(pid, &watched.init);

	if (r == 0)
		r = process_open(process_parent(&watched.init), &watched.monitor);
	if (r == 0)
		r = container_ask(container);
	if (r == 0 && container->live.pid != pid)
		r = -ESRCH;
	if (r < 0)
		watched_close(&watched);
	else
		*ret_watched = watched;
	return r;
}

static bool somebody_works_on_it(struct lb_container *container)
{
	CLEANUP_FD int fd = lock_container_at_once(container->ctx, container->name);

	return fd == -LB_ERR_BUSY;
}

/*
 * Its init has ended, and the monitor winds up. Who stops a container has it locked until that is done. The kernel says
 * no more than SIGKILL of an init that has powered off.
 */
static void note_init_end(struct lb_container *container, struct watched *watched)
{
	watched->init_ended = true;
	if (somebody_works_on_it(container))
		watched->status = 0;
}

/* Waits for what happens first. After a reboot @container has the new init's number. */
static enum happened await(struct lb_container *container, struct watched *watched, int stop_fd)
{
	for (;;) {
		struct pollfd items[] = { { .fd = watched->monitor.fd, .events = POLLIN },
					  { .fd = watched->init_ended ? -1 : watched->init.fd, .events = POLLIN },
					  { .fd = stop_fd, .events = POLLIN } };
		pid_t pid = watched->init.pid;

		if (poll(items, 3, watched->init_ended ? LOOK_MS : -1) < 0)
			continue;
		if (items[0].revents) {
			/* It waits for its init, unless it is killed. */
			if (!is_readable(watched->init.fd, 0))
				watched->status = SIGKILL;
			return ENDED;
		}
		if (items[1].revents)
			note_init_end(container, watched);
		if (items[2].revents)
			return STOPPED_WAITING;
		if (watched->init_ended && container_ask(container) == 0 && container->live.pid &&
		    container->live.pid != pid)
			return REBOOTED;
	}
}

/* Runs again: with a number, and so not only about to. */
static bool is_back(struct lb_container *container)
{
	return container_ask(container) == 0 && container->live.pid > 0;
}

/* Does the command that has stopped it start it again, as restart and rebase do? */
static bool comes_back(struct lb_container *container, int stop_fd)
{
	for (int idle_ms = 0; idle_ms < RESTART_MS; idle_ms += LOOK_MS) {
		if (is_back(container))
			return true;
		if (is_readable(stop_fd, LOOK_MS))
			return false;
		if (somebody_works_on_it(container))
			idle_ms = 0;
	}
	return false;
}

static int exit_status_of(int status)
{
	if (status == UNKNOWN)
		return -1;
	/* The kernel ends the init of a pid namespace that halts or powers off, see reboot(2). */
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGINT ? 0 : 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

int lb_container_wait(struct lb_container *container, int stop_fd, int *ret_status)
{
	int status = UNKNOWN, r = container_ask(container);

	if (r == 0 && container->live.state == LB_STATE_STOPPED)
		r = fail(container->ctx, -LB_ERR_NOT_RUNNING, "container '%s' is not running", container->name);
	if (r < 0)
		return r;
	do {
		struct watched watched;
		enum happened happened;

		if (watched_open(container, &watched) < 0) {
			/* It starts, reboots or ends just now. */
			if (is_readable(stop_fd, LOOK_MS))
				return 1;
			continue;
		}
		happened = await(container, &watched, stop_fd);
		status = watched.status;
		watched_close(&watched);
		if (happened == STOPPED_WAITING)
			return 1;
		if (happened == REBOOTED)
			continue;
	} while (comes_back(container, stop_fd));
	*ret_status = exit_status_of(status);
	return 0;
}
