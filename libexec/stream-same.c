/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-same.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/xattr.h>

#include "snapshot/live-copy.h"
#include "util/attributes.h"
#include "util/text.h"

static bool is_one_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_alike(const struct stat *a, const struct stat *b)
{
	return a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       a->st_rdev == b->st_rdev && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && (S_ISDIR(a->st_mode) || a->st_size == b->st_size);
}

static bool is_opaque(int dir_fd, const char *name)
{
	char path[64 + NAME_MAX], value[2] = "";

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir_fd, name);
	return lgetxattr(path, "trusted.overlay.opaque", value, sizeof value) == 1 && *value == 'y';
}

static int has_same_target(int dir_fd, int from_fd, const char *name)
{
	char a[PATH_MAX], b[PATH_MAX];
	ssize_t n = readlinkat(dir_fd, name, a, sizeof a), m = n < 0 ? -1 : readlinkat(from_fd, name, b, sizeof b);

	if (n < 0 || m < 0)
		return -errno;
	return n == m && n < PATH_MAX && memcmp(a, b, (size_t)n) == 0;
}

int stream_same(int dir_fd, int from_fd, const char *name, const struct stat *st, const char *path,
		const struct live_states *states)
{
	struct stat from;
	int r;

	if (fstatat(from_fd, name, &from, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (is_one_inode(st, &from))
		return 1;
	/* Not changed since it was copied, attributes included; marks of overlayfs's own were not copied. */
	if (states && (st->st_mode & S_IFMT) == (from.st_mode & S_IFMT) && live_states_same(states, path, dir_fd, name))
		return 1;
	/* Of content, nobody else knows without reading it. */
	if (!is_alike(st, &from) || S_ISREG(st->st_mode))
		return 0;
	if (S_ISDIR(st->st_mode) && is_opaque(dir_fd, name) != is_opaque(from_fd, name))
		return 0;
	r = attributes_equal(dir_fd, name, from_fd, name);
	return r == 1 && S_ISLNK(st->st_mode) ? has_same_target(dir_fd, from_fd, name) : r;
}
