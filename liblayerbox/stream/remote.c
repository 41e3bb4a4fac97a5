/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "remote.h"

#include <fcntl.h>

#include "../util/spawn.h"
#include "../util/thread.h"

/* One run of ssh, in a thread of its own where somebody writes to it meanwhile. */
struct session {
	struct text_list words;
	int input_fd;                 /* -1: nothing */
	int result, status;
	char *output;
};

static void session_free(struct session *session)
{
	text_list_free(&session->words);
	close_fd(session->input_fd);
	free(session->output);
}

#define CLEANUP_SESSION CLEANUP(session_free)

static int session_prepare(const struct remote *remote, const char *const *arguments, struct session *session)
{
	struct lb_context *ctx = remote->ctx;
	const char *command[32] = { "layerbox", "--quiet", "receive" };
	size_t count = 3;
	int r;

	while (*arguments && count < sizeof command / sizeof *command - 1)
		command[count++] = *arguments++;
	r = target_words(&remote->target, ctx->config.ssh, command, &session->words);
	if (r == -ENOMEM)
		return fail_memory(ctx);
	return r < 0 ? fail(ctx, r, "a word of the command for %s cannot be given to ssh", remote->text) : 0;
}

static void *session_run(void *userdata)
{
	struct session *session = userdata;
	const struct spawn_options options = { .input_fd = session->input_fd < 0 ? 0 : session->input_fd };

	session->result =
		spawn_run((const char *const *)session->words.items, &options, &session->status, &session->output);
	/* Whoever still writes to it learns that nobody reads. */
	close_fd(take_fd(&session->input_fd));
	return NULL;
}

/* The rest of the line that begins with @answer; NULL where there is none. */
static char *find_answer(char *output, const char *answer)
{
	char *save = NULL;

	for (char *line = strtok_r(output, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *rest = text_after(line, answer);

		if (rest && *rest == ' ')
			return text_trim(text_printable(line + strlen(answer)));
	}
	return NULL;
}

static int session_end(const struct remote *remote, struct session *session, const char *answer, char **ret_rest)
{
	struct lb_context *ctx = remote->ctx;
	CLEANUP_FREE char *output = session->output ? strdup(session->output) : NULL;
	char *rest;

	if (session->result == -ENOENT)
		return fail(ctx, -LB_ERR_NO_PROGRAM,
			    "the program %s is missing; install openssh-client, or set `ssh =` in layerbox.conf",
			    session->words.items[0]);
	if (session->result < 0)
		return fail_errno(ctx, session->result, "cannot run %s", session->words.items[0]);
	if (!output)
		return fail_memory(ctx);
	rest = find_answer(output, answer);
	*ret_rest = rest ? strdup(rest) : NULL;
	if (rest)
		return *ret_rest ? 0 : fail_memory(ctx);
	fail(ctx, -LB_ERR_PROGRAM_FAILED, "%s: %.1000s", remote->text,
	     *text_trim(session->output) ? text_last_line(session->output) : "the connection ended without a word");
	return 1;
}

int remote_ask(const struct remote *remote, const char *const *arguments, const char *answer, char **ret_rest)
{
	CLEANUP_SESSION struct session session = { .input_fd = -1 };
	int r = session_prepare(remote, arguments, &session);

	if (r < 0)
		return r;
	session_run(&session);
	return session_end(remote, &session, answer, ret_rest);
}

/*
 * Writing to a program that has ended is an error to be returned, not a signal: spawn_run() starts the writer with it.
 */
int remote_send(const struct remote *remote, const char *const *arguments, const char *answer, remote_send_fn send,
		void *userdata)
{
	CLEANUP_SESSION struct session session = { .input_fd = -1 };
	CLEANUP_FREE char *rest = NULL;
	CLEANUP_FD int write_fd = -1;
	int pipe_fds[2], sent, r = session_prepare(remote, arguments, &session);
	pthread_t thread;

	if (r < 0)
		return r;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return fail_errno(remote->ctx, errno, "cannot make a pipe to ssh");
	session.input_fd = pipe_fds[0];
	write_fd = pipe_fds[1];
	r = thread_begin(&thread, NULL, session_run, &session);
	if (r < 0)
		return fail_errno(remote->ctx, r, "cannot start a thread");
	sent = send(write_fd, userdata);
	close_fd(take_fd(&write_fd)); /* without its end, where it was cut off: the reader refuses it */
	pthread_join(thread, NULL);
	/* Where the reader ended, its words say why. */
	if (sent < 0 && sent != -EPIPE)
		return sent;
	r = session_end(remote, &session, answer, &rest);
	return r > 0 ? -LB_ERR_PROGRAM_FAILED : r;
}
