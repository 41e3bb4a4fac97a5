/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "freeze.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "../util/spawn.h"
#include "runtime.h"

#define HELPER PKGLIBEXECDIR "/layerbox-lxc"

/* What the helper takes at most beside the time to freeze: it loads, and asks the monitor. */
enum { HELPER_SECONDS = 30, LINE_MAX_LENGTH = 1024 };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The next line of the helper's; -EPIPE where it has ended, -ETIMEDOUT. */
static int read_line(int fd, unsigned timeout_s, char line[LINE_MAX_LENGTH])
{
	const int64_t end = now_ms() + (int64_t)timeout_s * 1000;
	size_t length = 0;

	while (length + 1 < LINE_MAX_LENGTH) {
		struct pollfd output = { .fd = fd, .events = POLLIN };
		int64_t left = end - now_ms();
		int ready = poll(&output, 1, left > 0 ? (int)left : 0);
		ssize_t n = ready > 0 ? read(fd, line + length, 1) : 0;

		if (ready == 0)
			return -ETIMEDOUT;
		if (ready < 0 || n < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (n == 0)
			return -EPIPE;
		if (line[length] == '\n')
			break;
		length++;
	}
	line[length] = '\0';
	text_printable(line);
	return 0;
}

/* The last word of the helper is one of these; other lines are what LXC says. */
static int read_word(struct freeze *freeze, const char *const *words, unsigned timeout_s, char line[LINE_MAX_LENGTH])
{
	int r;

	while ((r = read_line(freeze->output_fd, timeout_s, line)) == 0) {
		for (size_t i = 0; words[i]; i++)
			if (text_after(line, words[i]))
				return 0;
		log_message(freeze->ctx, LB_LOG_DEBUG, "layerbox-lxc: %s", line);
	}
	return r;
}

/* Ends the helper, by force where it did not say its last word. */
static void end_helper(struct freeze *freeze, bool force)
{
	int status;

	close_fd(take_fd(&freeze->input_fd));
	close_fd(take_fd(&freeze->output_fd));
	if (force)
		kill(freeze->pid, SIGKILL);
	spawn_wait(freeze->pid, &status);
	freeze->pid = 0;
}

static void forget(struct freeze *freeze)
{
	free(TAKE_PTR(freeze->lxcpath));
	free(TAKE_PTR(freeze->name));
}

/* What the helper did not do. */
static int thaw(struct freeze *freeze)
{
	char before[ERROR_MAX];
	int r = 0;

	if (freeze->was_frozen)
		return 0;
	text_copy(before, sizeof before, freeze->ctx->error);
	r = runtime_do(freeze->ctx, "thaw", freeze->lxcpath, freeze->name);
	if (r < 0)
		return fail_wrap(freeze->ctx, r, "container '%s' may still be frozen; thaw it: ", freeze->name);
	text_copy(freeze->ctx->error, sizeof freeze->ctx->error, before);
	return 0;
}

/* "failed CODE TEXT" */
static int pass_on(struct freeze *freeze, const char *line)
{
	int code = -LB_ERR_RUNTIME, offset = 0;

	if (sscanf(line, "failed %d %n", &code, &offset) < 1 || code >= 0 || offset == 0)
		return fail(freeze->ctx, -LB_ERR_RUNTIME, "cannot freeze container '%s'", freeze->name);
	return fail(freeze->ctx, code, "cannot freeze container '%s': %s", freeze->name, line + offset);
}

static int start(struct freeze *freeze, unsigned timeout_s)
{
	const struct spawn_options options = { .outlives_caller = true };
	struct spawn_child child;
	char seconds[16];
	int r;

	snprintf(seconds, sizeof seconds, "%u", timeout_s);
	r = spawn_start((const char *const[]){ HELPER, "hold", freeze->lxcpath, freeze->name, seconds, NULL }, &options,
			&child);
	if (r == -ENOENT)
		return fail(freeze->ctx, -LB_ERR_NO_PROGRAM,
			    "the helper program " HELPER " is missing; install layerbox again");
	if (r < 0)
		return fail_errno(freeze->ctx, r, "cannot run the helper program " HELPER);
	freeze->pid = child.pid;
	freeze->input_fd = child.input_fd;
	freeze->output_fd = child.output_fd;
	return 0;
}

static int wait_until_frozen(struct freeze *freeze, unsigned timeout_s)
{
	char line[LINE_MAX_LENGTH];
	int r = read_word(freeze, (const char *const[]){ "frozen ", "failed ", NULL }, timeout_s + HELPER_SECONDS,
			  line);

	if (r == 0 && text_after(line, "frozen ")) {
		freeze->was_frozen = text_equal(line, "frozen 1");
		return 0;
	}
	end_helper(freeze, r < 0);
	if (r == 0)
		return pass_on(freeze, line);
	r = r == -ETIMEDOUT
		    ? fail(freeze->ctx, -LB_ERR_TIMEOUT, "container '%s' could not be frozen in time", freeze->name)
		    : fail(freeze->ctx, -LB_ERR_RUNTIME, "container '%s': the process that was to freeze it ended",
			   freeze->name);
	thaw(freeze);
	return r;
}

int freeze_hold(struct lb_context *ctx, const char *lxcpath, const char *name, unsigned timeout_s,
		struct freeze *ret_freeze)
{
	struct freeze freeze = { .ctx = ctx, .input_fd = -1, .output_fd = -1 };
	int r;

	freeze.lxcpath = strdup(lxcpath);
	freeze.name = strdup(name);
	r = freeze.lxcpath && freeze.name ? start(&freeze, timeout_s) : fail_memory(ctx);
	if (r == 0)
		r = wait_until_frozen(&freeze, timeout_s);
	if (r < 0) {
		forget(&freeze);
		return r;
	}
	*ret_freeze = freeze;
	return 0;
}

int freeze_release(struct freeze *freeze)
{
	char line[LINE_MAX_LENGTH];
	unsigned long long us;
	int r, thawed;

	if (freeze->pid == 0)
		return 0;
	close_fd(take_fd(&freeze->input_fd));
	r = read_word(freeze, (const char *const[]){ "thawed ", "expired ", "failed ", NULL }, HELPER_SECONDS, line);
	end_helper(freeze, r < 0);
	if (r == 0 && sscanf(line, "thawed %llu", &us) == 1) {
		freeze->frozen_us = us;
	} else if (r == 0 && text_after(line, "expired ")) {
		r = fail(freeze->ctx, -LB_ERR_TIMEOUT,
			 "container '%s' was thawed before all was copied: that took too long", freeze->name);
	} else {
		r = fail(freeze->ctx, -LB_ERR_RUNTIME,
			 "container '%s': the process that kept it frozen died; try again", freeze->name);
		thawed = thaw(freeze);
		r = thawed < 0 ? thawed : r;
	}
	forget(freeze);
	return r;
}

void freeze_drop(struct freeze *freeze)
{
	char before[ERROR_MAX];

	if (freeze->pid == 0)
		return;
	text_copy(before, sizeof before, freeze->ctx->error);
	if (freeze_release(freeze) < 0)
		log_message(freeze->ctx, LB_LOG_WARNING, "%s", freeze->ctx->error);
	text_copy(freeze->ctx->error, sizeof freeze->ctx->error, before);
}
