/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper.h"

#include <fcntl.h>
#include <poll.h>

#include "../util/spawn.h"

#define HELPER PKGLIBEXECDIR "/layerbox-stream"

enum { STATUS_NO_SPACE = 2, STATUS_BAD_STREAM = 3 };

static int could_not_run(struct lb_context *ctx, int error)
{
	if (error == -ENOENT)
		return fail(ctx, -LB_ERR_NO_PROGRAM, "the program " HELPER " is missing; install layerbox again");
	return fail_errno(ctx, error, "cannot run " HELPER);
}

/* What a status other than 0 means; the sentence is the last line that it said. */
static int failed(struct lb_context *ctx, int status, const char *doing, char *output)
{
	int code = status == STATUS_NO_SPACE     ? -ENOSPC
		   : status == STATUS_BAD_STREAM ? -LB_ERR_BAD_STREAM
						 : -LB_ERR_PROGRAM_FAILED;

	return fail(ctx, code, "cannot %s: %.1500s", doing,
		    *text_trim(output) ? text_last_line(output) : "the helper program was killed");
}

/* A pipe that nobody reads. */
static bool is_broken(int fd)
{
	struct pollfd ask = { .fd = fd };

	return poll(&ask, 1, 0) == 1 && ask.revents & POLLERR;
}

int helper_pack(struct lb_context *ctx, const char *plan, bool masked, int fd)
{
	const char *const argv[] = { HELPER, "pack", masked ? "--masked" : NULL, NULL };
	const struct spawn_options options = { .input = plan, .output_fd = fd };
	CLEANUP_FREE char *output = NULL;
	int status, r = spawn_run(argv, &options, &status, &output);

	if (r < 0)
		return could_not_run(ctx, r);
	if (status != 0 && is_broken(fd))
		return fail_errno(ctx, EPIPE, "cannot write the stream: whoever reads it has ended");
	return status == 0 ? 0 : failed(ctx, status, "write the stream", output);
}

struct conversation {
	struct lb_context *ctx;
	helper_ready_fn on_ready;
	void *userdata;
	int answer_fd;                /* -1 when it has its answer */
	int result;
};

static void on_line(const char *line, void *userdata)
{
	struct conversation *conversation = userdata;

	if (conversation->answer_fd < 0 || !text_equal(line, "ready"))
		return;
	conversation->result = conversation->on_ready(conversation->answer_fd, conversation->userdata);
	/* Without its `go` it ends. */
	close_fd(take_fd(&conversation->answer_fd));
}

int helper_unpack(struct lb_context *ctx, const char *staging, int fd, helper_ready_fn on_ready, void *userdata)
{
	const char *const argv[] = { HELPER, "unpack", staging, NULL };
	struct conversation conversation = { .ctx = ctx, .on_ready = on_ready, .userdata = userdata };
	CLEANUP_FREE char *output = NULL;
	CLEANUP_FD int read_fd = -1;
	CLEANUP_FD int input_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* 0, which it mostly is, would be none */
	int pipe_fds[2], status, r;

	if (input_fd < 0)
		return fail_errno(ctx, errno, "cannot read the stream");
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return fail_errno(ctx, errno, "cannot talk to " HELPER);
	read_fd = pipe_fds[0];
	conversation.answer_fd = pipe_fds[1];
	r = spawn_run(argv,
		      &(const struct spawn_options){ .input_fd = input_fd,
						     .third_fd = read_fd,
						     .on_line = on_line,
						     .userdata = &conversation },
		      &status, &output);
	if (r == 0 && conversation.answer_fd >= 0 && status == 0)
		r = -EPROTO;
	close_fd(conversation.answer_fd);
	if (conversation.result < 0)
		return conversation.result;
	if (r < 0)
		return could_not_run(ctx, r);
	return status == 0 ? 0 : failed(ctx, status, "read the stream", output);
}
