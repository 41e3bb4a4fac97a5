/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "text.h"

int fd_read_all(int fd, size_t max, char **ret_text, size_t *ret_length)
{
	CLEANUP_FREE char *text = NULL;
	size_t length = 0, capacity = 4096;

	text = malloc(capacity + 1);
	for (;;) {
		ssize_t n;

		if (!text)
			return -ENOMEM;
		n = read(fd, text + length, capacity - length);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
		if (length > max)
			return -EFBIG;
		if (length == capacity) {
			char *larger = realloc(text, capacity * 2 + 1);

			if (!larger)
				return -ENOMEM;
			text = larger;
			capacity *= 2;
		}
	}
	text[length] = '\0';
	*ret_text = TAKE_PTR(text);
	if (ret_length)
		*ret_length = length;
	return 0;
}

int file_read(int dir_fd, const char *name, size_t max, char **ret_text, size_t *ret_length)
{
	CLEANUP_FD int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd_read_all(fd, max, ret_text, ret_length);
}

int fd_write_all(int fd, const void *data, size_t length)
{
	const char *p = data;

	while (length > 0) {
		ssize_t n = write(fd, p, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		length -= (size_t)n;
	}
	return 0;
}

int file_create(int dir_fd, const char *name, const void *data, size_t length, mode_t mode, int *ret_fd)
{
	CLEANUP_FD int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	int r;

	if (fd < 0)
		return -errno;
	if (fchmod(fd, mode) < 0)
		return -errno;
	r = fd_write_all(fd, data, length);
	if (r < 0)
		return r;
	*ret_fd = take_fd(&fd);
	return 0;
}

int files_sync(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)sync_file_range(fds[i], 0, 0, SYNC_FILE_RANGE_WRITE);
	for (size_t i = 0; i < count; i++)
		if (fsync(fds[i]) < 0)
			return -errno;
	return 0;
}

/* A dot first: dnsmasq, among others, does not read files that are named so. */
static void temporary_name(char *buffer, size_t size, const char *name)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
		random = (uint32_t)getpid();
	snprintf(buffer, size, ".%.200s.%08x", name, random);
}

int file_write(int dir_fd, const char *name, const void *data, size_t length, mode_t mode,
	       enum file_durability durability)
{
	CLEANUP_FD int fd = -1;
	CLEANUP_FD int parent = -1;
	char temporary[256], directory[4096] = ".";
	const char *slash = strrchr(name, '/');
	int r;

	if (slash) {
		size_t n = (size_t)(slash - name);

		if (n >= sizeof directory)
			return -ENAMETOOLONG;
		memcpy(directory, n ? name : "/", n ? n : 1);
		directory[n ? n : 1] = '\0';
		name = slash + 1;
	}
	parent = openat(dir_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return -errno;
	temporary_name(temporary, sizeof temporary, name);
	r = file_create(parent, temporary, data, length, mode, &fd);
	if (r == 0 && durability == FILE_DURABLE && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(parent, temporary, parent, name) < 0)
		r = -errno;
	if (r < 0 && r != -EEXIST)
		unlinkat(parent, temporary, 0);
	if (r == 0 && durability == FILE_DURABLE && fsync(parent) < 0)
		r = -errno;
	return r;
}

int file_write_existing(int dir_fd, const char *name, const char *text)
{
	CLEANUP_FD int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);
	size_t length = strlen(text);

	if (fd < 0)
		return -errno;
	if (write(fd, text, length) != (ssize_t)length)
		return errno ? -errno : -EIO;
	return 0;
}
