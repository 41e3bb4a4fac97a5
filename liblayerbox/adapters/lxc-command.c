/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lxc-command.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../util/clock.h"
#include "../util/file.h"
#include "process.h"

enum { COMMAND_STOP = 2, COMMAND_GET_STATE = 3, COMMAND_GET_INIT_PID = 4 };

/* Each conversation costs a descriptor. */
enum { ANSWER_TIMEOUT_MS = 2000, AT_A_TIME = 128, SOCKETS_BYTES_MAX = 64 << 20 };

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

/* A command that a monitor was sent, until its answer is heard. */
struct conversation {
	int fd;                       /* or why it could not be sent, a negative errno */
	int64_t end_ms;               /* when the answer is too late */
};

/* Who asks monitors, and whose: the same for many questions. */
struct asker {
	const char *lxcpath;
	struct ucred credentials;
	uid_t euid;
};

static struct asker make_asker(const char *lxcpath)
{
	return (struct asker){ lxcpath, { .pid = getpid(), .uid = getuid(), .gid = getgid() }, geteuid() };
}

bool lxc_peer_is(int fd, uid_t uid)
{
	struct ucred credentials;
	socklen_t length = sizeof credentials;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 && credentials.uid == uid;
}

static int send_request(const struct asker *asker, int fd, int command)
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

	control.header = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS, .cmsg_len = CMSG_LEN(sizeof asker->credentials)
	};
	memcpy(CMSG_DATA(&control.header), &asker->credentials, sizeof asker->credentials);
	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/*
 * -ECONNREFUSED where there is no monitor; -EAGAIN of one that has left so many unanswered that the kernel lets nobody
 * else wait for it; -EPERM where somebody else's program has taken its address.
 */
static int connect_to(const struct asker *asker, const char *name)
{
	struct sockaddr_un address;
	socklen_t length = make_address(asker->lxcpath, name, &address);
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, length) < 0)
		return -errno;
	return lxc_peer_is(fd, asker->euid) ? take_fd(&fd) : -EPERM;
}

/* The connection, over which the answer comes. */
static int ask(const struct asker *asker, const char *name, int command)
{
	CLEANUP_FD int fd = connect_to(asker, name);
	int r = fd < 0 ? fd : send_request(asker, fd, command);

	if (r == -ECONNRESET || r == -EPIPE)
		return -ECONNREFUSED; /* it went meanwhile */
	return r < 0 ? r : take_fd(&fd);
}

static struct conversation begin(const struct asker *asker, const char *name, int command)
{
	return (struct conversation){ ask(asker, name, command), clock_ms() + ANSWER_TIMEOUT_MS };
}

static int wait_until_readable(const struct conversation *conversation)
{
	struct pollfd poll_fd = { .fd = conversation->fd, .events = POLLIN };
	int r;

	do {
		int64_t left = conversation->end_ms - clock_ms();

		r = poll(&poll_fd, 1, left > 0 ? (int)left : 0);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r == 0 ? -EAGAIN : 0;
}

/* Of many who are asked, most have answered when they are heard. */
static ssize_t receive(const struct conversation *conversation, struct response *response)
{
	ssize_t n = recv(conversation->fd, response, sizeof *response, 0);

	if (n < 0 && errno == EAGAIN) {
		int r = wait_until_readable(conversation);

		if (r < 0)
			return r;
		n = recv(conversation->fd, response, sizeof *response, 0);
	}
	return n < 0 ? -errno : n;
}

/* Ends the conversation. -EPROTO is no answer of LXC's. */
static int hear(struct conversation *conversation, intptr_t *ret_number)
{
	struct response response;
	ssize_t n = conversation->fd < 0 ? conversation->fd : receive(conversation, &response);

	close_fd(take_fd(&conversation->fd));
	if (n < 0)
		return (int)n;
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

/* There is no monitor, or it ended while it was asked. */
static bool is_nobody(int r)
{
	return r == -ECONNREFUSED || r == -ECONNRESET || r == -EPROTO;
}

/* What a question about one container has begun. */
struct talk {
	struct conversation state, pid;
};

static struct talk begin_talk(const struct asker *asker, const char *name, unsigned what)
{
	struct talk talk = { { .fd = -ECONNREFUSED }, { .fd = -ECONNREFUSED } };

	if (what & LXC_ASK_STATE)
		talk.state = begin(asker, name, COMMAND_GET_STATE);
	if (what & LXC_ASK_PID && (talk.state.fd >= 0 || !(what & LXC_ASK_STATE)))
		talk.pid = begin(asker, name, COMMAND_GET_INIT_PID);
	return talk;
}

static int hear_answer(struct talk *talk, unsigned what, struct lxc_answer *ret_answer)
{
	intptr_t state = -1, pid = 0;
	int r = hear(&talk->state, &state), no_pid = hear(&talk->pid, &pid);

	*ret_answer = (struct lxc_answer){ .state = LB_STATE_STOPPED };
	if (!(what & LXC_ASK_STATE))
		r = no_pid;
	if (r < 0)
		return is_nobody(r) ? 0 : r;
	if (what & LXC_ASK_STATE)
		ret_answer->state = to_state(state);
	if (no_pid == 0 && pid > 0 && (ret_answer->state != LB_STATE_STOPPED || !(what & LXC_ASK_STATE)))
		ret_answer->pid = (pid_t)pid;
	return 0;
}

void lxc_command_query_all(const char *lxcpath, struct lxc_question *questions, size_t count, unsigned what)
{
	const struct asker asker = make_asker(lxcpath);
	struct talk talks[AT_A_TIME];

	while (count) {
		size_t n = count < AT_A_TIME ? count : AT_A_TIME;

		for (size_t i = 0; i < n; i++)
			talks[i] = begin_talk(&asker, questions[i].name, what);
		for (size_t i = 0; i < n; i++)
			questions[i].result = hear_answer(&talks[i], what, &questions[i].answer);
		questions += n;
		count -= n;
	}
}

int lxc_command_query(const char *lxcpath, const char *name, struct lxc_answer *ret_answer)
{
	struct lxc_question question = { .name = name };

	lxc_command_query_all(lxcpath, &question, 1, LXC_ASK_STATE | LXC_ASK_PID);
	*ret_answer = question.answer;
	return question.result;
}

const char *lxc_command_failure(int error)
{
	if (error == -EAGAIN)
		return "its LXC monitor does not answer; it may be stopped (ps shows it as T) or stuck";
	if (error == -EPERM)
		return "a program that is not root's listens on the address of its LXC monitor, which can neither be asked "
		       "nor started; `ss -xlp` shows the program";
	return strerror(-error);
}

/* 1 without a monitor. One that does not answer is told all the same. */
static int kill_one(const struct asker *asker, struct lxc_victim *victim, struct conversation *question)
{
	intptr_t pid = 0;
	int r = hear(question, &pid);
	struct process monitor = PROCESS_NONE;
	CLEANUP_FD int fd = -1;

	if (r == 0 && pid > 0)
		process_open_parent((pid_t)pid, &monitor);
	if (r != -ECONNREFUSED && r != -EPERM)
		r = fd = ask(asker, victim->name, COMMAND_STOP); /* which answers nothing but failures */
	if (r < 0) {
		process_close(&monitor);
		return r == -ECONNREFUSED ? 1 : r;
	}
	victim->fd = monitor.fd;
	return 0;
}

void lxc_command_kill_all(const char *lxcpath, struct lxc_victim *victims, size_t count)
{
	const struct asker asker = make_asker(lxcpath);
	struct conversation pids[AT_A_TIME];

	while (count) {
		size_t n = count < AT_A_TIME ? count : AT_A_TIME;

		for (size_t i = 0; i < n; i++)
			pids[i] = begin(&asker, victims[i].name, COMMAND_GET_INIT_PID);
		for (size_t i = 0; i < n; i++) {
			victims[i].fd = -1;
			victims[i].result = kill_one(&asker, &victims[i], &pids[i]);
		}
		victims += n;
		count -= n;
	}
}

bool lxc_command_has_monitor(const char *lxcpath, const char *name)
{
	const struct asker asker = make_asker(lxcpath);
	CLEANUP_FD int fd = connect_to(&asker, name);

	return fd >= 0 || fd == -EAGAIN;
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
