/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lxc-events.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "../util/tree.h"
#include "lxc-command.h"

enum { FIFO_BYTES = 1 << 18 };

enum message_type { MESSAGE_STATE = 0, MESSAGE_PRIORITY = 1, MESSAGE_EXIT = 2 };

struct message {
	int type;
	char name[LXC_EVENT_NAME_SIZE];
	int value;
};

_Static_assert(sizeof(struct message) <= sizeof(((struct lxc_events *)NULL)->piece), "a record has room");

/* ---- opening ---- */

/* A FIFO that others could write to would tell tales. */
static bool is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022);
}

static int open_fifo(const char *lxcpath)
{
	CLEANUP_FREE char *directory = text_format(RUNSTATEDIR "/lxc%s", lxcpath);
	CLEANUP_FREE char *path = text_format("%s/monitor-fifo", directory ? directory : "");
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CLEANUP_FD int fd = -1;
	int r;

	if (!directory || !path)
		return -ENOMEM;
	r = tree_make_directories(AT_FDCWD, directory, 0755);
	if (r < 0)
		return r;
	if (mkfifo(path, 0600) < 0 && errno != EEXIST)
		return -errno;
	/* For writing, too, so that it does not end when the last monitor does; as lxc-monitord opens it. */
	fd = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!is_ours(fd))
		return -EPERM;
	if (fcntl(fd, F_SETLK, &whole) < 0)
		return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
	(void)fcntl(fd, F_SETPIPE_SZ, FIFO_BYTES); /* for bursts; it works without */
	return take_fd(&fd);
}

/* As lxc_monitor_sock_name() names it: an abstract address, cut where it does not fit. */
static int open_monitord(const char *lxcpath)
{
	CLEANUP_FREE char *hashed = text_format("lxc/%s/monitor-sock", lxcpath);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t length;

	if (!hashed)
		return -ENOMEM;
	if (fd < 0)
		return -errno;
	snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "lxc/%016llx/%s",
		 (unsigned long long)text_hash(hashed), lxcpath);
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address.sun_path + 1));
	if (connect(fd, (const struct sockaddr *)&address, length) < 0)
		return -errno;
	return take_fd(&fd);
}

int lxc_events_open(const char *lxcpath, struct lxc_events *ret_events)
{
	int fd = open_fifo(lxcpath);

	*ret_events = (struct lxc_events){ .way = LXC_EVENTS_FIFO, .fd = fd };
	if (fd >= 0)
		return 0;
	*ret_events = (struct lxc_events){ .way = LXC_EVENTS_NONE, .fd = -1 };
	if (fd != -EBUSY)
		return fd;
	fd = open_monitord(lxcpath);
	if (fd < 0 || !lxc_peer_is(fd, geteuid())) {
		close_fd(fd);
		return -EBUSY;
	}
	*ret_events = (struct lxc_events){ .way = LXC_EVENTS_MONITORD, .fd = fd };
	return 0;
}

bool lxc_events_is_gone(const struct lxc_events *events)
{
	struct stat st;

	return events->way == LXC_EVENTS_FIFO && fstat(events->fd, &st) == 0 && !st.st_nlink;
}

void lxc_events_close(struct lxc_events *events)
{
	close_fd(take_fd(&events->fd));
	events->way = LXC_EVENTS_NONE;
}

/* ---- reading ---- */

static bool to_state(int value, enum lb_state *ret_state)
{
	/* enum lxc_state_t of LXC's state.h; a container that freezes or thaws runs. */
	static const enum lb_state states[] = {
		LB_STATE_STOPPED, LB_STATE_STARTING, LB_STATE_RUNNING, LB_STATE_STOPPING,
		LB_STATE_ABORTING, LB_STATE_RUNNING, LB_STATE_FROZEN, LB_STATE_RUNNING,
	};

	if (value < 0 || value >= (int)(sizeof states / sizeof *states))
		return false;
	*ret_state = states[value];
	return true;
}

/* 1, 0 for one that tells nothing, -EBADMSG. */
static int take_message(const char *piece, struct lxc_event *ret_event)
{
	struct lxc_event event = { 0 };
	struct message message;

	memcpy(&message, piece, sizeof message);
	if (message.type == MESSAGE_PRIORITY)
		return 0;
	if (!memchr(message.name, '\0', sizeof message.name) || !*message.name || strchr(message.name, '/'))
		return -EBADMSG;
	memcpy(event.name, message.name, sizeof event.name);
	event.is_exit = message.type == MESSAGE_EXIT;
	event.status = event.is_exit ? message.value : 0;
	if (!event.is_exit && (message.type != MESSAGE_STATE || !to_state(message.value, &event.state)))
		return -EBADMSG;
	*ret_event = event;
	return 1;
}

/* Whatever else is there begins nowhere that anybody knew. */
static int drop_all(struct lxc_events *events)
{
	events->have = 0;
	while (read(events->fd, events->piece, sizeof events->piece) > 0)
		;
	return -EBADMSG;
}

int lxc_events_next(struct lxc_events *events, struct lxc_event *ret_event)
{
	for (;;) {
		ssize_t n = read(events->fd, events->piece + events->have, sizeof(struct message) - events->have);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return -EPIPE;
		events->have += (size_t)n;
		if (events->have < sizeof(struct message))
			continue;
		events->have = 0;
		r = take_message(events->piece, ret_event);
		if (r != 0)
			return r < 0 ? drop_all(events) : r;
	}
}
