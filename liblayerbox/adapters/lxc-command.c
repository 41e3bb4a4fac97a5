/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lxc-command.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

#include "../util/file.h"

enum { COMMAND_STOP = 2, COMMAND_GET_STATE = 3, COMMAND_GET_INIT_PID = 4 };

enum { ANSWER_TIMEOUT_S = 2, SOCKETS_BYTES_MAX = 64 << 20, STAT_BYTES_MAX = 4096 };

struct request {
	int command;
	int length;
	const void *data;
};

struct response {
	int result;
	int length;
	void *data;                   /* small numbers are sent in the pointer itself */
};

/* The abstract address of the container's socket; returns its length. */
static socklen_t make_address(const char *lxcpath, const char *name, struct sockaddr_un *address)
{
	char path[4200];
	size_t room = sizeof address->sun_path - 2, n;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = (size_t)snprintf(path, sizeof path, "%s/%s/command", lxcpath, name);
	if (n >= room) {
		uint64_t hash;

		/* LXC's way with names that would not fit, and its hash. */
		snprintf(path, sizeof path, "%s/%s", lxcpath, name);
		hash = text_hash(path);
		n = (size_t)snprintf(path, sizeof path, "lxc/%016llx/command", (unsigned long long)hash);
	}
	memcpy(address->sun_path + 1, path, n);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n);
}

static int ask(const struct sockaddr_un *address, socklen_t length, int command)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} control = { 0 };
	struct request request = { .command = command };
	struct iovec data = { .iov_base = &request, .iov_len = sizeof request };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space
	};
	struct ucred credentials = { .pid = getpid(), .uid = getuid(), .gid = getgid() };
	struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_S };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, length) < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
	control.header = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS, .cmsg_len = CMSG_LEN(sizeof credentials)
	};
	memcpy(CMSG_DATA(&control.header), &credentials, sizeof credentials);
	if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
		return -errno;
	return take_fd(&fd);
}

static int answer(int fd, intptr_t *ret_number)
{
	struct response response;
	ssize_t n = recv(fd, &response, sizeof response, MSG_WAITALL);

	if (n < 0)
		return -errno;
	if (n != sizeof response || response.length != 0)
		return -EPROTO;
	*ret_number = (intptr_t)response.data;
	return 0;
}

static enum lb_state to_state(intptr_t number)
{
	/* enum lxc_state_t of LXC's state.h */
	static const enum lb_state states[] = {
		LB_STATE_STOPPED, LB_STATE_STARTING, LB_STATE_RUNNING, LB_STATE_STOPPING,
		LB_STATE_ABORTING, LB_STATE_RUNNING /* freezing */, LB_STATE_FROZEN, LB_STATE_RUNNING /* thawed */,
	};

	return number >= 0 && number < (intptr_t)(sizeof states / sizeof *states) ? states[number] : LB_STATE_RUNNING;
}

int lxc_command_ask(const char *lxcpath, const char *name, struct lxc_question *ret_question)
{
	struct sockaddr_un address;
	socklen_t length = make_address(lxcpath, name, &address);
	int fd = ask(&address, length, COMMAND_GET_STATE);

	*ret_question = (struct lxc_question){ -1, -1 };
	if (fd == -ECONNREFUSED || fd == -ECONNRESET || fd == -EPIPE)
		return 0;
	if (fd < 0)
		return fd;
	*ret_question = (struct lxc_question){ fd, ask(&address, length, COMMAND_GET_INIT_PID) };
	return 0;
}

int lxc_command_hear(struct lxc_question *question, struct lxc_answer *ret_answer)
{
	CLEANUP_FD int state_fd = take_fd(&question->state_fd);
	CLEANUP_FD int pid_fd = take_fd(&question->pid_fd);
	intptr_t state = -1, pid = 0;
	int r;

	*ret_answer = (struct lxc_answer){ .state = LB_STATE_STOPPED };
	if (state_fd < 0)
		return 0;
	r = answer(state_fd, &state);
	if (r == -ECONNRESET || r == -EPROTO)
		return 0; /* it ended while it was asked */
	if (r < 0)
		return r;
	ret_answer->state = to_state(state);
	if (pid_fd >= 0 && answer(pid_fd, &pid) == 0 && pid > 0 && ret_answer->state != LB_STATE_STOPPED)
		ret_answer->pid = (pid_t)pid;
	return 0;
}

int lxc_command_query(const char *lxcpath, const char *name, struct lxc_answer *ret_answer)
{
	struct lxc_question question;
	int r = lxc_command_ask(lxcpath, name, &question);

	*ret_answer = (struct lxc_answer){ .state = LB_STATE_STOPPED };
	return r < 0 ? r : lxc_command_hear(&question, ret_answer);
}

/* The process whose child @pid is; 0 where it is gone. */
static pid_t parent_of(pid_t pid)
{
	CLEANUP_FREE char *path = text_format("/proc/%d/stat", pid);
	CLEANUP_FREE char *text = NULL;
	const char *end;
	int parent;

	if (!path || file_read(AT_FDCWD, path, STAT_BYTES_MAX, &text, NULL) < 0)
		return 0;
	end = strrchr(text, ')'); /* the name before it can be anything */
	return end && sscanf(end, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* The monitor as a process descriptor: its socket does not say who it is, but it is the parent of what it started. */
static int open_monitor(const char *lxcpath, const char *name)
{
	struct lxc_answer answer;
	CLEANUP_FD int fd = -1;
	pid_t parent;
	int r = lxc_command_query(lxcpath, name, &answer);

	if (r < 0 || !answer.pid)
		return r < 0 ? r : -ESRCH;
	parent = parent_of(answer.pid);
	fd = parent > 1 ? (int)syscall(SYS_pidfd_open, parent, 0) : -1;
	if (fd < 0 || parent_of(answer.pid) != parent)
		return -ESRCH;
	return take_fd(&fd);
}

int lxc_command_kill(const char *lxcpath, const char *name, int *ret_fd)
{
	struct sockaddr_un address;
	socklen_t length = make_address(lxcpath, name, &address);
	CLEANUP_FD int monitor_fd = open_monitor(lxcpath, name);
	/* It answers nothing but failures; the end of the connection would come before the monitor's. */
	CLEANUP_FD int fd = ask(&address, length, COMMAND_STOP);

	if (fd == -ECONNREFUSED || fd == -ECONNRESET || fd == -EPIPE)
		return 1;
	if (fd < 0)
		return fd;
	/* Where it had nothing running just now there is the connection at least. */
	*ret_fd = monitor_fd < 0 ? take_fd(&fd) : take_fd(&monitor_fd);
	return 0;
}

bool lxc_command_has_monitor(const char *lxcpath, const char *name)
{
	struct sockaddr_un address;
	socklen_t length = make_address(lxcpath, name, &address);
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)&address, length) == 0;
}

/* /proc/net/unix has an `@` before the name of an abstract socket. */
int lxc_monitors_load(struct lxc_monitors *ret_monitors)
{
	CLEANUP_FREE char *sockets = NULL;
	struct lxc_monitors monitors = { 0 };
	char *line, *save = NULL;
	int r = file_read(AT_FDCWD, "/proc/net/unix", SOCKETS_BYTES_MAX, &sockets, NULL);

	line = r < 0 ? NULL : strtok_r(sockets, "\n", &save);
	for (; line && r == 0; line = strtok_r(NULL, "\n", &save)) {
		const char *address = strstr(line, " @"), *end = strrchr(line, '/');

		if (address && end && text_equal(end, "/command"))
			r = text_list_add(&monitors.addresses, address + 2);
	}
	if (r < 0) {
		lxc_monitors_free(&monitors);
		return r;
	}
	text_list_sort(&monitors.addresses);
	*ret_monitors = monitors;
	return 0;
}

static int compare(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

bool lxc_monitors_has(const struct lxc_monitors *monitors, const char *lxcpath, const char *name)
{
	struct sockaddr_un address;

	make_address(lxcpath, name, &address); /* zeros stand behind it */
	return monitors->addresses.count && bsearch(address.sun_path + 1, monitors->addresses.items,
						    monitors->addresses.count, sizeof(char *), compare);
}

void lxc_monitors_free(struct lxc_monitors *monitors)
{
	text_list_free(&monitors->addresses);
}
