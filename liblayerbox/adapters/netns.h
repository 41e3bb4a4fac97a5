/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The network namespace of another process, such as a container's init: sockets in it, and its addresses. The process
 * is given as a pidfd, so that it cannot be taken for a later one of the same number.
 */
#pragma once

#include <sys/types.h>

/* pidfd_open(2): the caller's descriptor, or a negative errno. */
int netns_open_process(pid_t pid);

/*
 * socket(2) there, close-on-exec: the caller's descriptor, or a negative errno. The calling thread stays in its own
 * namespace. A socket belongs to the namespace where it was made, whatever is done with it from here.
 */
int netns_socket(int pid_fd, int domain, int type, int protocol);

/*
 * Waits until an interface there has the IPv4 address @ipv4, a dotted quad, for at most @timeout_s. 0; -ESRCH when the
 * process has ended, -ETIMEDOUT, or another negative errno. Told by the kernel, nothing is polled.
 */
int netns_wait_for_address(int pid_fd, const char *ipv4, unsigned timeout_s);
