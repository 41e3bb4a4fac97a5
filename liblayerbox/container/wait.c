/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting for the end of a container: that of its monitor, which outlives a reboot from inside and then has another
 * init. Both are followed by pidfds; only a reboot, and a command that is about to start it again, are looked for.
 */
#include <fcntl.h>
#include <poll.h>

#include "../adapters/process.h"
#include "../core/lock.h"
#include "../health/status-file.h"
#include "container.h"
#include "layout.h"

enum { LOOK_MS = 20, RESTART_MS = 1000 };

struct watched {
	struct process init, monitor;
	bool init_ended;
	enum lb_end end;
};

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
	struct watched watched = { .init = PROCESS_NONE, .monitor = PROCESS_NONE };
	pid_t pid = lb_container_get_pid(container);
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
		watched->end = LB_END_SHUT_DOWN;
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
				watched->end = LB_END_FAILED;
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

/* What the supervisor thinks of a container that has ended; HEALTH_NONE where there is none, or nothing to think. */
static enum health_state ask_supervisor(struct lb_container *container, bool *ret_starts_it)
{
	CLEANUP_FREE char *path = health_status_path_of(container->ctx);
	enum health_state state = HEALTH_NONE;
	struct health_status status = { 0 };
	const struct health_entry *entry;

	*ret_starts_it = false;
	if (!path || !health_status_is_locked(path))
		return state;
	health_status_load(path, &status);
	entry = health_status_find(&status, container->name);
	if (entry && !entry->pid) {
		*ret_starts_it = entry->start_ms > 0;
		state = entry->state;
	}
	health_status_free(&status);
	return state;
}

/*
 * Does somebody start it again: a command that has stopped it, as restart and rebase do, or the supervisor? What that
 * knows of the end goes to *@end.
 */
static bool comes_back(struct lb_container *container, int stop_fd, enum lb_end *end)
{
	for (int idle_ms = 0; idle_ms < RESTART_MS; idle_ms += LOOK_MS) {
		enum health_state health;
		bool is_started_again;

		if (is_back(container))
			return true;
		health = ask_supervisor(container, &is_started_again);
		if (health == HEALTH_FAILED)
			*end = LB_END_FAILED;
		if (health == HEALTH_FAILED || is_readable(stop_fd, LOOK_MS))
			return false;
		if (is_started_again || somebody_works_on_it(container))
			idle_ms = 0;
	}
	return false;
}

static bool was_stopped(const struct lb_container *container)
{
	CLEANUP_FREE char *mark = text_format("%s/" LAYOUT_STOPPED, container->directory);

	return mark && faccessat(AT_FDCWD, mark, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int lb_container_wait(struct lb_container *container, int stop_fd, enum lb_end *ret_end)
{
	enum lb_end end = LB_END_UNKNOWN;
	int r = container_ask(container);

	if (r == 0 && container->live.state == LB_STATE_STOPPED)
		r = fail(container->ctx, -LB_ERR_NOT_RUNNING, "container '%s' is not running", container->name);
	if (r < 0)
		return r;
	do {
		struct watched watched;

		/* Where that fails it starts, reboots or ends just now. */
		if (watched_open(container, &watched) < 0) {
			if (is_readable(stop_fd, LOOK_MS))
				return 1;
			continue;
		}
		r = await(container, &watched, stop_fd);
		end = watched.end;
		watched_close(&watched);
		if (r == STOPPED_WAITING)
			return 1;
	} while (comes_back(container, stop_fd, &end));
	*ret_end = end == LB_END_UNKNOWN && was_stopped(container) ? LB_END_SHUT_DOWN : end;
	return 0;
}
