/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "time-limit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 500, PAUSE_NS = 10000000 };

/* The time is over, or the parent has ended; or somebody ends this process, as by Ctrl-C, which all of them get. */
static const int signals[] = { SIGALRM, SIGINT, SIGTERM, SIGHUP };

enum { SIGNALS = sizeof signals / sizeof *signals };

static struct sigaction before[SIGNALS];
static const char *last_line;
static pid_t owner, parent;

/* Only async-signal-safe calls from here on. Kills each child with its process group. */
static void kill_children(void)
{
	char text[4096];
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
	pid_t pid = 0;

	for (ssize_t i = 0; i < n; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			pid = pid * 10 + (text[i] - '0');
			continue;
		}
		if (pid > 1) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
		}
		pid = 0;
	}
	if (fd >= 0)
		close(fd);
}

/* As children end, this process becomes the parent of their children, until there are none. */
static void give_up(int signal_number)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	if (getpid() != owner) {
		/* A child's, which inherits the handler and not what it is for. */
		signal(signal_number, SIG_DFL);
		raise(signal_number);
		return;
	}
	for (int round = 0; round < ROUNDS; round++) {
		pid_t ended;

		kill_children();
		while ((ended = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (ended < 0)
			break;
		nanosleep(&pause, NULL);
	}
	if (signal_number != SIGALRM)
		_exit(128 + signal_number);
	(void)!write(STDOUT_FILENO, last_line, strlen(last_line));
	_exit(EXIT_SUCCESS);
}

/* What is ignored, as by nohup(1), stays so. */
static void handle_signals(void)
{
	struct sigaction action = { .sa_handler = give_up };

	sigfillset(&action.sa_mask);
	for (int i = 0; i < SIGNALS; i++) {
		sigaction(signals[i], NULL, &before[i]);
		if (signals[i] == SIGALRM || before[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

void time_limit_set(unsigned seconds, const char *line)
{
	last_line = line;
	owner = getpid();
	parent = getppid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	handle_signals();
	time_limit_follow_parent();
	alarm(seconds);
}

void time_limit_follow_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGALRM);
	if (getppid() != parent)
		raise(SIGALRM);
}

void time_limit_end(void)
{
	alarm(0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; owner && i < SIGNALS; i++)
		sigaction(signals[i], &before[i], NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}
