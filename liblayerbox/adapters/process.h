/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes that are not children of ours, followed to their end by pidfds: no later one of the same number is meant.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct process {
	pid_t pid;
	int fd;                       /* can be read from (poll(2)) once the process has ended */
};

#define PROCESS_NONE { .fd = -1 }

/* The process with that number; -ESRCH where there is none. */
int process_open(pid_t pid, struct process *ret_process);

/* Its parent's number, or -ESRCH when it is gone. */
pid_t process_parent(const struct process *process);

/*
 * The process that started @pid, as a container's monitor did its init: its socket does not say who it is. -ESRCH where
 * either is gone.
 */
int process_open_parent(pid_t pid, struct process *ret_parent);

/* Has it begun to end, or ended? An init takes its time, since all of its container ends first. */
bool process_is_ending(pid_t pid);

void process_close(struct process *process);
