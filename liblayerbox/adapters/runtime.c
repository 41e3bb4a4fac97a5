/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "../util/spawn.h"

#define HELPER PKGLIBEXECDIR "/layerbox-lxc"

struct run {
	struct lb_context *ctx;
	runtime_result_fn fn;
	void *userdata;
};

/* A line of the helper's: "NAME RESULT TEXT". */
static void on_line(const char *line, void *userdata)
{
	struct run *run = userdata;
	char name[64];
	int result, offset = 0;

	if (sscanf(line, "result %63s %d %n", name, &result, &offset) >= 2 && offset > 0)
		run->fn(name, result, line + offset, run->userdata);
	else
		log_message(run->ctx, LB_LOG_DEBUG, "layerbox-lxc: %s", line);
}

static int helper_failed(struct lb_context *ctx, int r)
{
	if (r == -ENOENT)
		return fail(ctx, -LB_ERR_NO_PROGRAM, "the helper program " HELPER " is missing; install layerbox again");
	return fail_errno(ctx, r, "cannot run the helper program " HELPER);
}

int runtime_run(struct lb_context *ctx, const char *lxcpath, const char *verb, const char *const *names,
		unsigned jobs, unsigned timeout_s, runtime_result_fn fn, void *userdata)
{
	struct run run = { .ctx = ctx, .fn = fn, .userdata = userdata };
	struct spawn_options options = { .on_line = on_line, .userdata = &run };
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	CLEANUP_FREE char *output = NULL;
	int status, r;

	if (text_list_add(&argv, HELPER) < 0 || text_list_add(&argv, verb) < 0 ||
	    text_list_add(&argv, lxcpath) < 0 || text_list_format(&argv, "%u", jobs) < 0 ||
	    text_list_format(&argv, "%u", timeout_s) < 0)
		return fail_memory(ctx);
	for (; *names; names++)
		if (text_list_add(&argv, *names) < 0)
			return fail_memory(ctx);
	r = spawn_run((const char *const *)argv.items, &options, &status, &output);
	if (r < 0)
		return helper_failed(ctx, r);
	if (status != 0)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED, "the helper program " HELPER " ended with status %d: %s", status,
			    text_trim(output));
	return 0;
}

static void keep_result(const char *name, int result, const char *text, void *userdata)
{
	struct lb_context *ctx = userdata;

	if (result < 0)
		fail(ctx, -LB_ERR_RUNTIME, "container '%s': %s", name, text);
}

int runtime_set_cgroup(struct lb_context *ctx, const char *lxcpath, const char *name, const char *key,
		       const char *value)
{
	CLEANUP_FREE char *verb = text_format("cgroup:%s=%s", key, value);

	if (!verb)
		return fail_memory(ctx);
	ctx->error[0] = '\0';
	if (runtime_run(ctx, lxcpath, verb, (const char *const[]){ name, NULL }, 1, 0, keep_result, ctx) < 0 || *ctx->error)
		return -LB_ERR_RUNTIME;
	return 0;
}

/* Makes @fds the standard streams; first out of the way, since any of them may be 0, 1 or 2 already. */
static int use_streams(const int *fds)
{
	int moved[3];

	for (int i = 0; i < 3; i++) {
		moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		if (moved[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(moved[i], i) < 0)
			return -errno;
	return 0;
}

int runtime_attach(struct lb_context *ctx, const char *const *arguments, const int *fds, int *ret_status)
{
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	sigset_t none;
	pid_t pid;
	int r;

	r = text_list_add(&argv, HELPER);
	for (; r == 0 && *arguments; arguments++)
		r = text_list_add(&argv, *arguments);
	if (r < 0)
		return fail_memory(ctx);
	if (access(HELPER, X_OK) < 0)
		return helper_failed(ctx, -errno);
	pid = fork();
	if (pid < 0)
		return helper_failed(ctx, -errno);
	if (pid == 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (fds && use_streams(fds) < 0)
			_exit(126);
		execv(HELPER, argv.items);
		_exit(126);
	}
	r = spawn_wait(pid, ret_status);
	return r < 0 ? helper_failed(ctx, r) : 0;
}
