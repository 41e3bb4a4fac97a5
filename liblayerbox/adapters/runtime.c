/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "../util/spawn.h"
#include "lxc-kill.h"

#define HELPER PKGLIBEXECDIR "/layerbox-lxc"

struct run {
	struct lb_context *ctx;
	const struct runtime_task *task;
};

static const char *next_name(void *userdata)
{
	const struct run *run = userdata;

	return run->task->next(run->task->userdata);
}

/* A line of the helper's: "NAME RESULT TEXT". */
static void on_line(const char *line, void *userdata)
{
	const struct run *run = userdata;
	char name[64];
	int result, offset = 0;

	if (sscanf(line, "result %63s %d %n", name, &result, &offset) >= 2 && offset > 0)
		run->task->fn(name, result, line + offset, run->task->userdata);
	else
		log_message(run->ctx, LB_LOG_DEBUG, "layerbox-lxc: %s", line);
}

static int helper_failed(struct lb_context *ctx, int r)
{
	if (r == -ENOENT)
		return fail(ctx, -LB_ERR_NO_PROGRAM,
			    "the helper program " HELPER " is missing; install layerbox again");
	return fail_errno(ctx, r, "cannot run the helper program " HELPER);
}

int runtime_run(struct lb_context *ctx, const struct runtime_task *task)
{
	struct run run = { .ctx = ctx, .task = task };
	struct spawn_options options = { .next_line = next_name, .on_line = on_line, .userdata = &run };
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	CLEANUP_FREE char *output = NULL;
	int status, r;

	if (text_equal(task->verb, "kill"))
		return lxc_kill_run(ctx, task);
	if (text_list_add(&argv, HELPER) < 0 || text_list_add(&argv, task->verb) < 0 ||
	    text_list_add(&argv, task->lxcpath) < 0 || text_list_format(&argv, "%zu", task->count) < 0 ||
	    text_list_format(&argv, "%u", task->jobs) < 0 || text_list_format(&argv, "%u", task->timeout_s) < 0 ||
	    text_list_format(&argv, "%lld", (long long)task->end_ms) < 0)
		return fail_memory(ctx);
	r = spawn_run((const char *const *)argv.items, &options, &status, &output);
	if (r < 0)
		return helper_failed(ctx, r);
	if (status != 0)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED, "the helper program " HELPER " ended with status %d: %s",
			    status, text_trim(output));
	return 0;
}

/* A call for one container, which is ready. */
struct single {
	struct lb_context *ctx;
	const char *name;
};

static const char *next_single(void *userdata)
{
	struct single *single = userdata;

	return TAKE_PTR(single->name);
}

static void keep_result(const char *name, int result, const char *text, void *userdata)
{
	const struct single *single = userdata;

	if (result < 0)
		fail(single->ctx, -LB_ERR_RUNTIME, "container '%s': %s", name, text);
}

int runtime_do(struct lb_context *ctx, const char *verb, const char *lxcpath, const char *name)
{
	struct single single = { .ctx = ctx, .name = name };
	const struct runtime_task task = {
		.verb = verb,
		.lxcpath = lxcpath,
		.count = 1,
		.jobs = 1,
		.next = next_single,
		.fn = keep_result,
		.userdata = &single,
	};

	ctx->error[0] = '\0';
	if (runtime_run(ctx, &task) < 0 || *ctx->error)
		return -LB_ERR_RUNTIME;
	return 0;
}

int runtime_set_cgroup(struct lb_context *ctx, const char *lxcpath, const char *name, const char *key,
		       const char *value)
{
	CLEANUP_FREE char *verb = text_format("cgroup:%s=%s", key, value);

	return verb ? runtime_do(ctx, verb, lxcpath, name) : fail_memory(ctx);
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

int runtime_listen(struct lb_context *ctx, const char *const *arguments, int end_fd, unsigned silence_s,
		   spawn_line_fn fn, void *userdata, int *ret_status)
{
	const struct spawn_options options = {
		.end_fd = end_fd, .timeout_s = silence_s, .timeout_of_silence = true, .on_line = fn, .raw_lines = true,
		.own_session = true, .userdata = userdata
	};
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	int r = text_list_add(&argv, HELPER);

	for (; r == 0 && *arguments; arguments++)
		r = text_list_add(&argv, *arguments);
	if (r < 0)
		return fail_memory(ctx);
	r = spawn_run((const char *const *)argv.items, &options, ret_status, NULL);
	return r < 0 && r != -ETIMEDOUT ? helper_failed(ctx, r) : r;
}

int runtime_ask(struct lb_context *ctx, const char *const *arguments, unsigned timeout_s, int *ret_status,
		char **ret_output)
{
	/* Process groups reach across the container's pid namespace: also what a script has begun there is ended. */
	const struct spawn_options options = { .timeout_s = timeout_s, .own_session = true, .slow_output = true };
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	CLEANUP_FREE char *output = NULL;
	int r = text_list_add(&argv, HELPER);

	for (; r == 0 && *arguments; arguments++)
		r = text_list_add(&argv, *arguments);
	if (r < 0)
		return fail_memory(ctx);
	r = spawn_run((const char *const *)argv.items, &options, ret_status, &output);
	if (r == -ETIMEDOUT) {
		*ret_status = RUNTIME_TIMED_OUT;
		output = strdup("it did not answer in time");
		r = output ? 0 : -ENOMEM;
	}
	if (r < 0)
		return helper_failed(ctx, r);
	*ret_output = TAKE_PTR(output);
	return 0;
}
