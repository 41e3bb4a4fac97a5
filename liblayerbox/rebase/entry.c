/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "entry.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/xattr.h>

#include "../util/attributes.h"
#include "../util/text.h"

enum { CHUNK = 65536 };

int entry_look(int dir_fd, const char *name, struct entry *ret_entry)
{
	*ret_entry = (struct entry){ .dir_fd = dir_fd, .name = name };
	if (dir_fd < 0)
		return 0;
	if (fstatat(dir_fd, name, &ret_entry->st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	ret_entry->there = true;
	return 0;
}

bool entry_is_whiteout(const struct entry *entry)
{
	return entry->there && S_ISCHR(entry->st.st_mode) && entry->st.st_rdev == 0;
}

bool entry_is_opaque(int directory_fd)
{
	char value[2];

	return fgetxattr(directory_fd, "trusted.overlay.opaque", value, sizeof value) == 1 && *value == 'y';
}

int entry_open(const struct entry *entry)
{
	CLEANUP_FD int fd =
		openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? take_fd(&fd) : -EINVAL;
}

/* ---- content ---- */

static int same_bytes(int a_fd, int b_fd)
{
	CLEANUP_FREE char *a = malloc(CHUNK);
	CLEANUP_FREE char *b = malloc(CHUNK);

	if (!a || !b)
		return -ENOMEM;
	for (off_t at = 0;;) {
		ssize_t n = pread(a_fd, a, CHUNK, at), got = 0;

		if (n < 0)
			return -errno;
		while (got < n) {
			ssize_t m = pread(b_fd, b + got, (size_t)(n - got), at + got);

			if (m < 0)
				return -errno;
			if (m == 0)
				return 0;
			got += m;
		}
		if (n == 0)
			return 1;
		if (memcmp(a, b, (size_t)n) != 0)
			return 0;
		at += n;
	}
}

static int same_target(const struct entry *a, const struct entry *b)
{
	char first[PATH_MAX], second[PATH_MAX];
	ssize_t n = readlinkat(a->dir_fd, a->name, first, sizeof first);
	ssize_t m = readlinkat(b->dir_fd, b->name, second, sizeof second);

	if (n < 0 || m < 0)
		return -errno;
	return n == m && memcmp(first, second, (size_t)n) == 0;
}

static bool same_inode(const struct entry *a, const struct entry *b)
{
	return a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino;
}

int entry_same_content(const struct entry *a, const struct entry *b)
{
	CLEANUP_FD int a_fd = -1;
	CLEANUP_FD int b_fd = -1;

	if (!a->there || !b->there || (a->st.st_mode & S_IFMT) != (b->st.st_mode & S_IFMT))
		return 0;
	if (same_inode(a, b))
		return 1;
	if (S_ISLNK(a->st.st_mode))
		return same_target(a, b);
	if (S_ISCHR(a->st.st_mode) || S_ISBLK(a->st.st_mode))
		return a->st.st_rdev == b->st.st_rdev;
	if (!S_ISREG(a->st.st_mode))
		return 1;
	if (a->st.st_size != b->st.st_size)
		return 0;
	a_fd = entry_open(a);
	b_fd = entry_open(b);
	if (a_fd < 0 || b_fd < 0)
		return a_fd < 0 ? a_fd : b_fd;
	return same_bytes(a_fd, b_fd);
}

/* ---- both ---- */

int entry_same_attributes(const struct entry *a, const struct entry *b)
{
	if (!a->there || !b->there)
		return 0;
	return same_inode(a, b) ? 1 : attributes_equal(a->dir_fd, a->name, b->dir_fd, b->name);
}

int entry_same(const struct entry *a, const struct entry *b)
{
	int r = entry_same_attributes(a, b);

	return r == 1 ? entry_same_content(a, b) : r;
}
