/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kill-at N COMMAND...: runs a command and kills, with SIGKILL, the process of it that makes the N-th system call; children
 * count, too. Exits with 137 then, else with the command's status. Counting begins with the command's first line of its
 * own: what the dynamic loader does is not counted.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLED = 137, BROKEN = 125 };

static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0)
			_exit(BROKEN);
		execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

/* Is the process about to make a system call? *ret_number is which. */
static bool enters_call(pid_t pid, uint64_t *ret_number)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info, &info) <= 0 || info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	*ret_number = info.entry.nr;
	return true;
}

int main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEEXEC;
	long n = argc > 2 ? atol(argv[1]) : 0, count = 0;
	bool counting = false, killed = false;
	int status, result = BROKEN;
	pid_t first;

	if (n < 1) {
		fprintf(stderr, "usage: kill-at N COMMAND...\n");
		return 2;
	}
	first = start(argv + 2);
	if (first < 0 || waitpid(first, &status, 0) != first || ptrace(PTRACE_SETOPTIONS, first, NULL, options) < 0 ||
	    ptrace(PTRACE_SYSCALL, first, NULL, NULL) < 0)
		return BROKEN;
	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);
		uint64_t number;
		int signal = 0;

		if (pid < 0)
			return killed ? KILLED : result;
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (pid == first)
				result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			bool enters = enters_call(pid, &number);

			/* The loader is done when it gives back what it had of the cache of libraries. */
			counting = counting || (enters && number == SYS_munmap);
			if (counting && enters && ++count == n) {
				killed = true;
				kill(pid, SIGKILL);
				continue;
			}
		} else if (status >> 16 == 0 && WSTOPSIG(status) != SIGSTOP) {
			signal = WSTOPSIG(status);
		}
		if (ptrace(PTRACE_SYSCALL, pid, NULL, signal) < 0 && errno != ESRCH)
			return BROKEN;
	}
}
