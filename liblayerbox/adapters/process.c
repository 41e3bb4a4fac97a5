/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "../util/cleanup.h"
#include "../util/file.h"

enum { STAT_BYTES_MAX = 4096, EXITING = 4 /* PF_EXITING of the kernel's sched.h */ };

int process_open(pid_t pid, struct process *ret_process)
{
	int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (fd < 0)
		return pid > 0 ? -errno : -ESRCH;
	*ret_process = (struct process){ .pid = pid, .fd = fd };
	return 0;
}

pid_t process_parent(const struct process *process)
{
	CLEANUP_FREE char *text = NULL;
	char path[64], *end;
	int parent;

	snprintf(path, sizeof path, "/proc/%d/stat", process->pid);
	if (file_read(AT_FDCWD, path, STAT_BYTES_MAX, &text, NULL) < 0)
		return -ESRCH;
	/* The name, which could have anything in it, ends with the last parenthesis: proc(5). */
	end = strrchr(text, ')');
	if (!end || sscanf(end, ") %*c %d", &parent) != 1)
		return -ESRCH;
	/* While it is there, its number is no other's. */
	return syscall(SYS_pidfd_send_signal, process->fd, 0, NULL, 0) == 0 ? parent : -ESRCH;
}

int process_open_parent(pid_t pid, struct process *ret_parent)
{
	struct process child = PROCESS_NONE;
	int r = process_open(pid, &child);
	pid_t parent = r == 0 ? process_parent(&child) : 0;

	if (r == 0)
		r = parent > 1 ? process_open(parent, ret_parent) : -ESRCH;
	/* Was it that one still when it was opened? */
	if (r == 0 && process_parent(&child) != parent) {
		process_close(ret_parent);
		r = -ESRCH;
	}
	process_close(&child);
	return r;
}

bool process_is_ending(pid_t pid)
{
	CLEANUP_FREE char *text = NULL;
	char path[64], *end;
	unsigned flags;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	if (file_read(AT_FDCWD, path, STAT_BYTES_MAX, &text, NULL) < 0)
		return true;
	end = strrchr(text, ')');
	return end && sscanf(end, ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1 && flags & EXITING;
}

void process_close(struct process *process)
{
	close_fd(take_fd(&process->fd));
}
