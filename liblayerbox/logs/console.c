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

struct console {
	const struct reader *reader;
	int directory_fd;
	int fd;                       /* what is being read; -1: nothing is there yet */
	ino_t inode;
	struct lines lines;
	uint64_t count, skip;
};

static int open_file(const struct console *console, const char *file, ino_t *ret_inode)
{
	CLEANUP_FD int fd = openat(console->directory_fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_inode = st.st_ino;
	return take_fd(&fd);
}

static void count_line(char *line, void *userdata)
{
	struct console *console = userdata;

	(void)line;
	console->count++;
}

/* A terminal's lines end with a carriage return before the newline; with two, where a program has put one there. */
static void tell_line(char *line, void *userdata)
{
	struct console *console = userdata;
	size_t n = strlen(line);

	if (console->skip) {
		console->skip--;
		return;
	}
	while (n && line[n - 1] == '\r')
		line[--n] = '\0';
	reader_line(console->reader, line);
}

/* A whole file, through @fn. */
static int read_file(struct console *console, const char *file, lines_fn fn, bool present)
{
	ino_t inode = 0;
	CLEANUP_FD int fd = open_file(console, file, &inode);
	int r = fd < 0 ? fd : lines_read(&console->lines, fd, fn, console);

	if (r == 0 && present) {
		console->inode = inode;
		console->fd = take_fd(&fd);
	}
	return r == -ENOENT ? 0 : r;
}

static int count(struct console *console)
{
	int r = read_file(console, CONSOLE_LOG_BEFORE, count_line, false);

	if (r == 0)
		r = read_file(console, CONSOLE_LOG, count_line, false);
	lines_end(&console->lines, count_line, console);
	if (console->count > console->reader->lines)
		console->skip = console->count - console->reader->lines;
	return r;
}

static int read_present(struct console *console)
{
	int r = console->reader->lines ? count(console) : 0;

	if (r == 0)
		r = read_file(console, CONSOLE_LOG_BEFORE, tell_line, false);
	return r < 0 ? r : read_file(console, CONSOLE_LOG, tell_line, true);
}

/* What was added; and where LXC has begun another file, that, and what may have been in one between. */
static int read_on(struct console *console)
{
	struct stat present, before;
	int r = console->fd < 0 ? 0 : lines_read(&console->lines, console->fd, tell_line, console);

	if (r < 0 || fstatat(console->directory_fd, CONSOLE_LOG, &present, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (console->fd >= 0 && present.st_ino == console->inode))
		return r;
	if (console->fd >= 0)
		r = lines_read(&console->lines, console->fd, tell_line, console);
	if (r == 0 && console->fd >= 0 &&
	    fstatat(console->directory_fd, CONSOLE_LOG_BEFORE, &before, AT_SYMLINK_NOFOLLOW) == 0 &&
	    before.st_ino != console->inode)
		r = read_file(console, CONSOLE_LOG_BEFORE, tell_line, false);
	close_fd(take_fd(&console->fd));
	return r < 0 ? r : read_file(console, CONSOLE_LOG, tell_line, true);
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
	int r = follow && changes_fd < 0 ? changes_fd : read_present(console);

	while (r == 0 && follow) {
		r = wait_for_more(console, changes_fd);
		if (r == 0)
			r = read_on(console);
	}
	if (r >= 0)
		lines_end(&console->lines, tell_line, console);
	return r < 0 ? r : 0;
}

int console_read(const struct reader *reader)
{
	CLEANUP_FD int logs_fd = log_directory_open(reader->ctx);
	CLEANUP_FD int directory_fd =
		logs_fd < 0 ? -1 : openat(logs_fd, reader->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct console console = { .reader = reader, .directory_fd = directory_fd, .fd = -1 };
	int r = directory_fd < 0 ? -errno : lines_begin(&console.lines, LINE_BYTES_MAX);

	if (logs_fd < 0)
		r = logs_fd;
	if (r == -ENOENT)
		return 1;
	if (r == 0)
		r = read_all(&console);
	close_fd(console.fd);
	lines_free(&console.lines);
	return r < 0 ? fail_errno(reader->ctx, r, "cannot read the log of container '%s', %s/" STORE_LOGS "/%s/" CONSOLE_LOG,
				  reader->name, reader->ctx->config.root, reader->name)
		     : 0;
}
