/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "freeze.h"

#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../util/spawn.h"
#include "runtime.h"

#define HELPER PKGLIBEXECDIR "/layerbox-lxc"

enum { ANSWER_MAX = 1024 };

/* A session of its own: what a terminal sends to those in front of it does not reach the helper. */
static int start(struct freeze *freeze, int helper_fd, unsigned timeout_s)
{
	char timeout[16];
	const char *const argv[] = { HELPER, "hold", freeze->lxcpath, freeze->name, timeout, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r;

	snprintf(timeout, sizeof timeout, "%u", timeout_s);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_adddup2(&actions, helper_fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, helper_fd, STDOUT_FILENO);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
	r = posix_spawn(&freeze->pid, HELPER, &actions, &attributes, spawn_vector(argv), environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* The helper's next answer, a packet: 0, or -EPIPE where it has ended. */
static int hear(const struct freeze *freeze, char answer[ANSWER_MAX])
{
	ssize_t n;

	do
		n = recv(freeze->fd, answer, ANSWER_MAX - 1, 0);
	while (n < 0 && errno == EINTR);
	answer[n > 0 ? n : 0] = '\0';
	return n > 0 ? 0 : -EPIPE;
}

static void end(struct freeze *freeze)
{
	int status;

	close_fd(take_fd(&freeze->fd));
	if (freeze->pid > 0)
		spawn_wait(freeze->pid, &status);
	freeze->pid = 0;
	free(TAKE_PTR(freeze->lxcpath));
	free(TAKE_PTR(freeze->name));
}

/* Somebody has to thaw it. */
static int helper_died(struct freeze *freeze)
{
	if (runtime_do(freeze->ctx, "thaw", freeze->lxcpath, freeze->name) < 0)
		return fail_wrap(freeze->ctx, -LB_ERR_RUNTIME, "the helper that held container '%s' frozen has ended: ",
				 freeze->name);
	return fail(freeze->ctx, -LB_ERR_RUNTIME,
		    "the helper that held container '%s' frozen has ended; it is thawed, and what was done meanwhile "
		    "is not used",
		    freeze->name);
}

/* "frozen", or "failed CODE TEXT" */
static int hear_frozen(struct freeze *freeze)
{
	char answer[ANSWER_MAX];
	int code, offset = 0;

	if (hear(freeze, answer) < 0)
		return helper_died(freeze);
	if (text_equal(answer, "frozen"))
		return 0;
	if (sscanf(answer, "failed %d %n", &code, &offset) >= 1 && offset > 0 && code < 0)
		return fail(freeze->ctx, code, "container '%s' cannot be frozen: %s", freeze->name, answer + offset);
	return fail(freeze->ctx, -LB_ERR_RUNTIME, "container '%s' cannot be frozen", freeze->name);
}

int freeze_hold(struct lb_context *ctx, const char *lxcpath, const char *name, unsigned timeout_s,
		struct freeze *ret_freeze)
{
	struct freeze freeze = { .ctx = ctx, .lxcpath = strdup(lxcpath), .name = strdup(name), .fd = -1 };
	int fds[2] = { -1, -1 };
	int r;

	if (!freeze.lxcpath || !freeze.name)
		r = fail_memory(ctx);
	else if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		r = fail_errno(ctx, errno, "cannot freeze container '%s'", name);
	else {
		freeze.fd = fds[0];
		r = start(&freeze, fds[1], timeout_s);
		close_fd(fds[1]);
		r = r == -ENOENT ? fail(ctx, -LB_ERR_NO_PROGRAM,
					"the helper program " HELPER " is missing; install layerbox again")
		    : r < 0      ? fail_errno(ctx, r, "cannot run the helper program " HELPER)
				 : hear_frozen(&freeze);
	}
	if (r < 0)
		end(&freeze);
	else
		*ret_freeze = freeze;
	return r;
}

/* "thawed MICROSECONDS", or "late" where it did not want to wait any longer. */
int freeze_release(struct freeze *freeze)
{
	char answer[ANSWER_MAX];
	unsigned long long us;
	int r = 0;

	shutdown(freeze->fd, SHUT_WR);
	if (hear(freeze, answer) < 0)
		r = helper_died(freeze);
	else if (sscanf(answer, "thawed %llu", &us) == 1)
		freeze->frozen_us = us;
	else if (text_equal(answer, "late"))
		r = fail(freeze->ctx, -LB_ERR_TIMEOUT,
			 "container '%s' was frozen for too long, and was thawed before all was done", freeze->name);
	else
		r = fail(freeze->ctx, -LB_ERR_RUNTIME, "container '%s' cannot be thawed: %s; try `layerbox thaw %s`",
			 freeze->name, answer, freeze->name);
	end(freeze);
	return r;
}
