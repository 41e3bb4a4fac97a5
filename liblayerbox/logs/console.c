/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ROOT/logs/NAME/console.log: read, and followed over LXC's rotation and the container's starts. */
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "../container/console-log.h"
#include "../core/log-directory.h"
#include "../core/store.h"
#include "../util/lines.h"
#include "reader.h"

enum { LINE_BYTES_MAX = 4096 };

/* fd -1 and inode 0: there is none. */
struct file {
	int fd;
	ino_t inode;                  /* its own, for as long as it is open */
};

struct console {
	struct reader *reader;
	int directory_fd;
	struct file last;             /* that was read */
	struct lines lines;
};

static int open_file(const struct console *console, const char *name, struct file *ret_file)
{
	CLEANUP_FD int fd = openat(console->directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	*ret_file = (struct file){ .fd = -1 };
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_file = (struct file){ .fd = take_fd(&fd), .inode = st.st_ino };
	return 0;
}

/* A terminal's lines end with a carriage return before the newline; with two, where a program has put one there. */
static void tell_line(char *line, void *userdata)
{
	struct console *console = userdata;
	size_t n = strlen(line);

	while (n && line[n - 1] == '\r')
		line[--n] = '\0';
	reader_line(console->reader, line);
}

/* The present file and the one before it: of the same moment, whatever is rotated meanwhile. */
struct pair {
	struct file before, present;
};

static void pair_close(struct pair *pair)
{
	close_fd(pair->before.fd);
	close_fd(pair->present.fd);
}

/* The name of a file that is open is another's only after a rotation. */
static bool is_present(const struct console *console, const struct file *file)
{
	struct stat st;
	bool found = fstatat(console->directory_fd, CONSOLE_LOG, &st, AT_SYMLINK_NOFOLLOW) == 0;

	return file->fd < 0 ? !found : found && st.st_ino == file->inode;
}

static int pair_open(const struct console *console, struct pair *ret_pair)
{
	for (;;) {
		struct pair pair = { .before.fd = -1 };
		int r = open_file(console, CONSOLE_LOG, &pair.present);

		if (r == 0)
			r = open_file(console, CONSOLE_LOG_BEFORE, &pair.before);
		if (r == 0 && is_present(console, &pair.present)) {
			*ret_pair = pair;
			return 0;
		}
		pair_close(&pair);
		if (r < 0)
			return r;
	}
}

static int read_whole(struct console *console, const struct file *file)
{
	return file->fd < 0 ? 0 : lines_read(&console->lines, file->fd, tell_line, console);
}

/* What the last one gets from now on is read from the same descriptor. */
static void keep_last(struct console *console, struct pair *pair)
{
	struct file *last = pair->present.fd >= 0 ? &pair->present : &pair->before;

	close_fd(console->last.fd);
	console->last = *last;
	last->fd = -1;
}

static int read_present(struct console *console)
{
	struct pair pair;
	int r = pair_open(console, &pair);

	if (r < 0)
		return r;
	r = read_whole(console, &pair.before);
	if (r == 0)
		r = read_whole(console, &pair.present);
	keep_last(console, &pair);
	pair_close(&pair);
	return r;
}

/* What was added; and where LXC has begun another file, that, and what was in one between. */
static int read_on(struct console *console)
{
	struct pair pair;
	int r = read_whole(console, &console->last);

	if (r == 0)
		r = pair_open(console, &pair);
	if (r < 0)
		return r;
	if (pair.present.fd >= 0 && pair.present.inode != console->last.inode) {
		r = read_whole(console, &console->last);
		if (r == 0 && pair.before.inode != console->last.inode)
			r = read_whole(console, &pair.before);
		if (r == 0)
			r = read_whole(console, &pair.present);
		keep_last(console, &pair);
	}
	pair_close(&pair);
	return r;
}

/* 1 when it is to end: it was asked to, or the file is deleted, which LXC never does. */
static int wait_for_more(const struct console *console, int changes_fd)
{
	const int stop_fd = console->reader->options->stop_fd;
	struct pollfd fds[] = { { .fd = changes_fd, .events = POLLIN },
				{ .fd = stop_fd ? stop_fd : -1, .events = POLLIN } };
	_Alignas(struct inotify_event) char changes[4096];
	ssize_t n;

	if (poll(fds, 2, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[1].revents)
		return 1;
	while ((n = read(changes_fd, changes, sizeof changes)) > 0)
		for (const char *p = changes; p < changes + n;) {
			const struct inotify_event *event = (const struct inotify_event *)(const void *)p;

			if (event->mask & IN_DELETE && text_equal(event->name, CONSOLE_LOG))
				return 1;
			p += sizeof *event + event->len;
		}
	return 0;
}

static int watch(const struct console *console)
{
	CLEANUP_FD int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", console->directory_fd);
	if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR) < 0)
		return -errno;
	return take_fd(&fd);
}

static int read_all(struct console *console)
{
	const bool follow = console->reader->options->follow;
	CLEANUP_FD int changes_fd = follow ? watch(console) : -1;
	int r = follow && changes_fd < 0 ? changes_fd : reader_keep_last(console->reader);

	if (r == 0)
		r = read_present(console);
	if (follow)
		reader_give_last(console->reader);
	while (r == 0 && follow) {
		r = wait_for_more(console, changes_fd);
		if (r == 0)
			r = read_on(console);
	}
	if (r >= 0)
		lines_end(&console->lines, tell_line, console);
	reader_give_last(console->reader);
	return r < 0 ? r : 0;
}

int console_read(struct reader *reader)
{
	CLEANUP_FD int logs_fd = log_directory_open(reader->ctx);
	CLEANUP_FD int directory_fd =
		logs_fd < 0 ? -1 : openat(logs_fd, reader->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct console console = { .reader = reader, .directory_fd = directory_fd, .last.fd = -1 };
	int r = directory_fd < 0 ? -errno : lines_begin(&console.lines, LINE_BYTES_MAX);

	if (logs_fd < 0)
		r = logs_fd;
	if (r == -ENOENT)
		return 1;
	if (r == 0)
		r = read_all(&console);
	close_fd(console.last.fd);
	lines_free(&console.lines);
	return r < 0 ? fail_errno(reader->ctx, r, "cannot read the log of container '%s', %s/" STORE_LOGS "/%s/" CONSOLE_LOG,
				  reader->name, reader->ctx->config.root, reader->name)
		     : 0;
}
