/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event-file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../util/text.h"

enum { TRIES = 5, OPEN_FLAGS = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC };

static int open_to_append(int logs_fd)
{
	int fd = openat(logs_fd, EVENT_FILE, OPEN_FLAGS);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	fd = openat(logs_fd, EVENT_FILE, OPEN_FLAGS | O_CREAT | O_EXCL, 0640);
	if (fd < 0)
		return errno == EEXIST ? openat(logs_fd, EVENT_FILE, OPEN_FLAGS) : -1;
	fchmod(fd, 0640); /* whatever the umask */
	return fd;
}

/*
 * Of all who find it full, only who has the lock, and finds it full still, moves it: another may have put a new one in
 * its place between. Who does not get the lock leaves it to the next.
 */
static void rotate(int logs_fd, ino_t full)
{
	struct stat st;

	if (flock(logs_fd, LOCK_EX | LOCK_NB) < 0)
		return;
	if (fstatat(logs_fd, EVENT_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == full)
		renameat(logs_fd, EVENT_FILE, logs_fd, EVENT_FILE_BEFORE);
	flock(logs_fd, LOCK_UN);
}

/* 1 where the file was taken away between open and write, by who rotated twice: then the line is nowhere. */
static int append_once(int logs_fd, const char *line, size_t length)
{
	CLEANUP_FD int fd = open_to_append(logs_fd);
	ssize_t written = fd < 0 ? -1 : write(fd, line, length);
	struct stat st;

	if (written < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((size_t)written < length)
		return -ENOSPC;
	if (st.st_nlink == 0)
		return 1;
	if (st.st_size >= EVENT_FILE_BYTES)
		rotate(logs_fd, st.st_ino);
	return 0;
}

int event_file_append(int logs_fd, const char *line)
{
	const size_t length = strlen(line);
	int r = 1;

	for (int i = 0; r == 1 && i < TRIES; i++)
		r = append_once(logs_fd, line, length);
	return r == 1 ? -EBUSY : r;
}
