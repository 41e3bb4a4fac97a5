/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netns.h"

#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "../util/cleanup.h"
#include "../util/thread.h"

enum { STACK_BYTES = 64 << 10 };

struct request {
	int pid_fd, domain, type, protocol;
	int result;
};

int netns_open_process(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

static int make_socket(const struct request *request)
{
	int fd;

	if (setns(request->pid_fd, CLONE_NEWNET) < 0)
		return -errno;
	fd = socket(request->domain, request->type | SOCK_CLOEXEC, request->protocol);
	return fd < 0 ? -errno : fd;
}

static void *run(void *data)
{
	struct request *request = data;

	request->result = make_socket(request);
	return NULL;
}

/* A thread may enter another network namespace by itself; this one ends there. */
int netns_socket(int pid_fd, int domain, int type, int protocol)
{
	struct request request = { .pid_fd = pid_fd, .domain = domain, .type = type, .protocol = protocol };
	pthread_attr_t attributes;
	pthread_t thread;
	int r = -pthread_attr_init(&attributes);

	if (r < 0)
		return r;
	r = -pthread_attr_setstacksize(&attributes, STACK_BYTES);
	if (r == 0)
		r = thread_begin(&thread, &attributes, run, &request);
	pthread_attr_destroy(&attributes);
	if (r < 0)
		return r;
	pthread_join(thread, NULL);
	return request.result;
}
