/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netns.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

#include "../util/cleanup.h"

enum { STACK_BYTES = 64 << 10 };

struct wanted {
	int netns_fd, family, type, protocol;
	int result;
};

/* A thread of its own goes there, and ends: nobody who lives on is ever in the wrong namespace. */
static void *make_socket(void *userdata)
{
	struct wanted *wanted = userdata;

	wanted->result = setns(wanted->netns_fd, CLONE_NEWNET) < 0
				 ? -1
				 : socket(wanted->family, wanted->type, wanted->protocol);
	if (wanted->result < 0)
		wanted->result = -errno;
	return NULL;
}

int netns_socket(pid_t pid, int family, int type, int protocol)
{
	struct wanted wanted = { .family = family, .type = type, .protocol = protocol };
	CLEANUP_FD int netns_fd = -1;
	pthread_attr_t attributes;
	pthread_t thread;
	char path[64];
	int error;

	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
	netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (netns_fd < 0)
		return -errno;
	wanted.netns_fd = netns_fd;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	error = pthread_create(&thread, &attributes, make_socket, &wanted);
	pthread_attr_destroy(&attributes);
	if (error)
		return -error;
	pthread_join(thread, NULL);
	return wanted.result;
}
