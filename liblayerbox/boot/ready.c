/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ready.h"

#include <stdio.h>

#include "../adapters/netns.h"
#include "../adapters/runtime.h"
#include "../container/container.h"
#include "../health/check.h"
#include "../util/clock.h"

enum {
	TIMEOUT_DEFAULT_S = 60,
	PAUSE_FIRST_MS = 100,         /* what has to be asked again, is asked less and less often */
	PAUSE_LAST_MS = 1600,
	SETTLING_MS = 1000,
	NOT_THERE = 127,
	COULD_NOT_RUN = 126,
};

struct wait {
	struct lb_container *container;
	unsigned timeout_s;
	int64_t end_ms;
	int64_t pause_ms;
	char text[READY_TEXT_SIZE];   /* what it is, or what it was when it was asked last */
};

static void pause_for(int64_t ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

/* Before it is asked once more; false when there is no time for that. */
static bool may_ask_again(struct wait *wait)
{
	int64_t left = wait->end_ms - clock_ms();

	if (left <= 0)
		return false;
	pause_for(left < wait->pause_ms ? left : wait->pause_ms);
	wait->pause_ms = wait->pause_ms < PAUSE_LAST_MS ? wait->pause_ms * 2 : PAUSE_LAST_MS;
	return true;
}

static unsigned seconds_left(const struct wait *wait)
{
	int64_t left = wait->end_ms - clock_ms();

	return left > 1000 ? (unsigned)((left + 999) / 1000) : 1;
}

static int has_ended(const struct wait *wait)
{
	return fail(wait->container->ctx, -LB_ERR_NOT_RUNNING, "container '%s' has ended again before it was ready",
		    wait->container->name);
}

/* ---- network ---- */

/* Its init as a pidfd: asked again afterwards, so that it is no later process of that number. */
static int open_init(struct wait *wait)
{
	struct lb_container *container = wait->container;
	pid_t pid = lb_container_get_pid(container);
	CLEANUP_FD int fd = pid ? netns_open_process(pid) : -ESRCH;
	int r = container_ask(container);

	if (r < 0)
		return r;
	if (fd == -ESRCH || container->live.pid != pid)
		return has_ended(wait);
	return fd < 0 ? fail_errno(container->ctx, fd, "cannot look at the init of container '%s'", container->name)
		      : take_fd(&fd);
}

static int wait_for_network(struct wait *wait)
{
	struct lb_container *container = wait->container;
	const char *ipv4 = container->record.identity.ipv4;
	CLEANUP_FD int fd = open_init(wait);
	int r;

	if (fd < 0)
		return fd;
	r = netns_wait_for_address(fd, ipv4, wait->timeout_s);
	if (r == -ESRCH)
		return has_ended(wait);
	if (r == -ETIMEDOUT)
		return fail(container->ctx, -LB_ERR_TIMEOUT, "container '%s' has not got its address %s within %u s",
			    container->name, ipv4, wait->timeout_s);
	if (r < 0)
		return fail_errno(container->ctx, r, "cannot look at the network of container '%s'", container->name);
	text_copy(wait->text, sizeof wait->text, ipv4);
	return 0;
}

/* ---- system ---- */

/* Without systemd, that it still runs after a moment is all there is to know. */
static int settle(struct wait *wait)
{
	int r;

	pause_for(SETTLING_MS);
	r = container_ask(wait->container);
	if (r < 0)
		return r;
	wait->text[0] = '\0';
	return wait->container->live.state == LB_STATE_RUNNING ? 0 : has_ended(wait);
}

/* Its status; negative codes. As soon as its systemd can be asked, that itself waits for the end of the boot. */
static int ask_systemd(struct wait *wait)
{
	static const char *const argv[] = { "systemctl", "is-system-running", "--wait", NULL };
	CLEANUP_FREE char *output = NULL;
	int status, r = container_exec_shortly(wait->container, argv, seconds_left(wait), &status, &output);

	if (r < 0)
		return r;
	output[strcspn(output, "\n")] = '\0';
	if (status != RUNTIME_TIMED_OUT)
		snprintf(wait->text, sizeof wait->text, "%s", text_printable(output));
	return status;
}

static int wait_for_system(struct wait *wait)
{
	int r;

	do {
		r = ask_systemd(wait);
		if (r < 0)
			return r == -LB_ERR_NOT_RUNNING ? has_ended(wait) : r;
		if (r == NOT_THERE || r == COULD_NOT_RUN || text_equal(wait->text, "offline"))
			return settle(wait);
		if (text_equal(wait->text, "running") || text_equal(wait->text, "degraded"))
			return 0;
	} while (may_ask_again(wait));
	return fail(wait->container->ctx, -LB_ERR_TIMEOUT, "container '%s' has not booted within %u s%s%s%s",
		    wait->container->name, wait->timeout_s, *wait->text ? ": its systemd says \"" : "", wait->text,
		    *wait->text ? "\"" : "");
}

/* ---- check ---- */

static int wait_for_check(struct wait *wait)
{
	struct lb_container *container = wait->container;
	const uint64_t own_timeout_s = health_timeout(&container->record);
	char why[HEALTH_WHY_SIZE] = "";
	int r;

	do {
		uint64_t left_s = seconds_left(wait);

		container->record.health.timeout_s = left_s < own_timeout_s ? left_s : own_timeout_s;
		r = health_check(container->ctx, container, why, sizeof why);
		if (r == -LB_ERR_NOT_RUNNING)
			return has_ended(wait);
		/* What the host could not do now, it may be able to do in a moment. */
		if (r <= 0 && r != -LB_ERR_RUNTIME)
			return r;
	} while (may_ask_again(wait));
	if (r < 0)
		return r;
	return fail(container->ctx, -LB_ERR_TIMEOUT, "container '%s' is not well within %u s: %s", container->name,
		    wait->timeout_s, why);
}

int ready_wait(struct lb_context *ctx, const char *name, enum boot_wait what, unsigned timeout_s,
	       char ret_text[READY_TEXT_SIZE])
{
	CLEANUP(container_cleanup) struct lb_container *container = NULL;
	struct wait wait = { .timeout_s = timeout_s ? timeout_s : TIMEOUT_DEFAULT_S, .pause_ms = PAUSE_FIRST_MS };
	int r = lb_container_open(ctx, name, &container);

	if (r < 0)
		return r;
	wait.container = container;
	wait.end_ms = clock_ms() + (int64_t)wait.timeout_s * 1000;
	if (what == BOOT_WAIT_NETWORK)
		r = wait_for_network(&wait);
	else if (what == BOOT_WAIT_SYSTEM)
		r = wait_for_system(&wait);
	else if (what == BOOT_WAIT_CHECK)
		r = wait_for_check(&wait);
	if (r == 0)
		text_copy(ret_text, READY_TEXT_SIZE, wait.text);
	return r;
}
