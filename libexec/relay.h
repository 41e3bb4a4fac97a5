/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For a container's program that runs without a terminal: it gets none of the host's. Who has one open can type into
 * its owner's shell (TIOCSTI, ioctl_tty(2)), and read what he types long after the program was to end. So a standard
 * stream that is a terminal is a pipe for the program, and we are at its other end.
 */
#pragma once

#include <sys/types.h>

struct relay {
	int theirs[3];                /* what the program has as its standard streams */
	int ours[3];                  /* the other ends; -1 where it has the caller's own stream */
};

/* A negative errno. */
int relay_open(struct relay *relay);

/*
 * Goes between until the program @pid, our child, ends, and passes on to it what would end us: it has a session of its
 * own, where no key reaches it. It is not waited for. A negative errno.
 */
int relay_run(struct relay *relay, pid_t pid);
