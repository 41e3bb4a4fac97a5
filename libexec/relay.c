/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relay.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"

enum { CHUNK = 16384, PIPE_CHUNKS = 4 /* pipe(7): 64 KiB */, LOOK_MS = 1000 };

/* What was typed and not yet taken. */
struct typed {
	char data[CHUNK];
	size_t length, done;
};

static int program_fd = -1;           /* for the signal handler */

static int open_pipe(struct relay *relay, int stream)
{
	const int our_end = stream == STDIN_FILENO;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	relay->ours[stream] = ends[our_end];
	relay->theirs[stream] = ends[!our_end];
	return fcntl(relay->ours[stream], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

/* Output and errors that are shown in one place keep their order. */
static int share_output(struct relay *relay)
{
	relay->theirs[STDERR_FILENO] = fcntl(relay->theirs[STDOUT_FILENO], F_DUPFD_CLOEXEC, 3);
	return relay->theirs[STDERR_FILENO] < 0 ? -errno : 0;
}

int relay_open(struct relay *relay)
{
	int r = 0;

	for (int i = 0; i < 3 && r == 0; i++) {
		relay->theirs[i] = i;
		relay->ours[i] = -1;
		if (!isatty(i))
			continue;
		r = i == STDERR_FILENO && relay->ours[STDOUT_FILENO] >= 0 ? share_output(relay) : open_pipe(relay, i);
	}
	return r;
}

static void pass_on(int number)
{
	const int saved = errno;

	syscall(SYS_pidfd_send_signal, program_fd, number, NULL, 0);
	errno = saved;
}

/* What is ignored, the program ignores, too. */
static void pass_on_signals(void)
{
	static const int numbers[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };
	const struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };
	struct sigaction before;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void end(int *fd)
{
	close_fd(take_fd(fd));
}

/* False where there is no more now. */
static bool show(struct relay *relay, int stream)
{
	char data[CHUNK];
	ssize_t n = read(relay->ours[stream], data, sizeof data);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	for (ssize_t done = 0, written; n > 0 && done < n; done += written) {
		written = write(stream, data + done, (size_t)(n - done));
		if (written < 0 && errno != EINTR)
			n = 0; /* the terminal is gone */
		written = written < 0 ? 0 : written;
	}
	if (n <= 0)
		end(&relay->ours[stream]);
	return n > 0;
}

static void take(struct relay *relay, struct typed *typed)
{
	ssize_t n = read(STDIN_FILENO, typed->data, sizeof typed->data);

	if (n > 0) {
		typed->length = (size_t)n;
		typed->done = 0;
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		end(&relay->ours[STDIN_FILENO]); /* Ctrl-D, or the terminal is gone */
	}
}

static void give(struct relay *relay, struct typed *typed)
{
	ssize_t n = write(relay->ours[STDIN_FILENO], typed->data + typed->done, typed->length - typed->done);

	if (n > 0)
		typed->done += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		end(&relay->ours[STDIN_FILENO]);
}

/* Who reads from the terminal in the background is stopped for it: what is typed there is for somebody else. */
static bool may_read(void)
{
	pid_t foreground = tcgetpgrp(STDIN_FILENO); /* negative of a terminal that is not our session's */

	return foreground < 0 || foreground == getpgrp();
}

/* Until the program has ended, and all is shown that it has said by then. */
static int go_between(struct relay *relay)
{
	struct typed typed = { 0 };

	for (;;) {
		const bool has_typed = typed.done < typed.length, has_input = relay->ours[STDIN_FILENO] >= 0;
		const bool waits = has_input && !has_typed && !may_read();
		struct pollfd fds[] = {
			{ .fd = program_fd, .events = POLLIN },
			{ .fd = relay->ours[STDOUT_FILENO], .events = POLLIN },
			{ .fd = relay->ours[STDERR_FILENO], .events = POLLIN },
			{ .fd = has_input && has_typed ? relay->ours[STDIN_FILENO] : -1, .events = POLLOUT },
			{ .fd = has_input && !has_typed && !waits ? STDIN_FILENO : -1, .events = POLLIN },
		};

		if (poll(fds, sizeof fds / sizeof *fds, waits ? LOOK_MS : -1) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (fds[1].revents)
			show(relay, STDOUT_FILENO);
		if (fds[2].revents)
			show(relay, STDERR_FILENO);
		if (fds[3].revents)
			give(relay, &typed);
		if (fds[4].revents)
			take(relay, &typed);
		if (fds[0].revents)
			break;
	}
	/* What it leaves behind may go on for ever. */
	for (int i = STDOUT_FILENO; i <= STDERR_FILENO; i++)
		for (int n = 0; n < PIPE_CHUNKS && relay->ours[i] >= 0 && show(relay, i); n++)
			;
	return 0;
}

int relay_run(struct relay *relay, pid_t pid)
{
	for (int i = 0; i < 3; i++)
		if (relay->theirs[i] > STDERR_FILENO)
			end(&relay->theirs[i]);
	program_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (program_fd < 0)
		return -errno;
	pass_on_signals();
	return go_between(relay);
}
