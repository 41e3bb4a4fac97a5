/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* restic at one end of a stream, and somebody else of this process at the other. */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "../util/spawn.h"
#include "../util/thread.h"
#include "restic.h"

enum { STATUS_SIGNAL = 128 };

/* A restic that runs in a thread, so that the stream's other end has the caller's, and its context. */
struct pump {
	struct text_list words;
	struct spawn_options options;
	pthread_t thread;
	int fd; /* restic's end of the stream: closed when it has ended, so that the other one notices */
	int result, status;
	char *output;
};

static void *run_pump(void *data)
{
	struct pump *pump = data;

	pump->result = spawn_run((const char *const *)pump->words.items, &pump->options, &pump->status, &pump->output);
	close_fd(take_fd(&pump->fd));
	return NULL;
}

static int pump_start(struct lb_context *ctx, const char *const *arguments, struct pump *pump)
{
	int r = restic_arguments(arguments, &pump->words);

	if (r < 0)
		return fail_memory(ctx);
	r = thread_begin(&pump->thread, NULL, run_pump, pump);
	return r < 0 ? fail_errno(ctx, r, "cannot run restic in a thread") : 0;
}

static void pump_free(struct pump *pump)
{
	text_list_free(&pump->words);
	close_fd(pump->fd);
	free(pump->output);
}

/* Did it end, and badly, without being killed by us (@our_signal)? Then its words are the cause. */
static bool pump_failed(const struct pump *pump, int our_signal)
{
	return pump->result < 0 || (pump->status != 0 && pump->status != STATUS_SIGNAL + our_signal);
}

static int pump_failure(struct lb_context *ctx, struct pump *pump)
{
	return pump->result < 0 ? restic_not_run(ctx, pump->result) : restic_failed(ctx, pump->status, pump->output);
}

/* Takes away the lock of one that was killed; restic itself sees that it is dead. */
static void remove_lock(const struct restic *restic)
{
	const struct spawn_options options = { .env = (const char *const *)restic->env.items };
	int status;

	(void)spawn_run((const char *const[]){ "restic", "unlock", NULL }, &options, &status, NULL);
}

/*
 * The input is a socket of which restic has both ends: so it does not end when this process does, and restic waits
 * until the kernel kills it for that; only shutdown(2) ends it.
 */
int restic_save(struct lb_context *ctx, const struct restic *restic, const char *const *arguments, restic_pump_fn write,
		void *userdata)
{
	CLEANUP_FD int ours = -1;
	CLEANUP_FD int end_read = -1;
	CLEANUP_FD int end_write = -1;
	CLEANUP(pump_free) struct pump pump = { .fd = -1 };
	int pair[2], end[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_errno(ctx, errno, "cannot make a socket for restic");
	ours = pair[0], pump.fd = pair[1];
	if (pipe2(end, O_CLOEXEC) < 0)
		return fail_errno(ctx, errno, "cannot make a pipe for restic");
	end_read = end[0], end_write = end[1];
	pump.options = (struct spawn_options){ .env = (const char *const *)restic->env.items,
					       .input_fd = pump.fd,
					       .inherited = (const int[]){ ours, 0 },
					       .end_fd = end_read };
	r = pump_start(ctx, arguments, &pump);
	if (r < 0)
		return r;
	r = write(ours, userdata);
	if (r >= 0)
		shutdown(ours, SHUT_WR);
	else
		close_fd(take_fd(&end_write));
	pthread_join(pump.thread, NULL);
	if (pump_failed(&pump, r < 0 ? SIGKILL : 0))
		return pump_failure(ctx, &pump);
	if (r < 0)
		remove_lock(restic);
	return r < 0 ? r : 0;
}

int restic_load(struct lb_context *ctx, const struct restic *restic, const char *const *arguments, restic_pump_fn read,
		void *userdata)
{
	CLEANUP_FD int ours = -1;
	CLEANUP(pump_free) struct pump pump = { .fd = -1 };
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail_errno(ctx, errno, "cannot make a pipe for restic");
	ours = fds[0], pump.fd = fds[1];
	pump.options = (struct spawn_options){ .env = (const char *const *)restic->env.items, .output_fd = pump.fd };
	r = pump_start(ctx, arguments, &pump);
	if (r < 0)
		return r;
	r = read(ours, userdata);
	/* One that has more to say than anybody wants to hear ends by this. */
	close_fd(take_fd(&ours));
	pthread_join(pump.thread, NULL);
	if (r < 0 && pump_failed(&pump, SIGPIPE))
		return pump_failure(ctx, &pump);
	return r < 0 ? r : 0;
}
