/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tree-copy.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "file.h"
#include "text.h"

enum { COPY_BYTES = 128 * 1024 };

/* ---- extended attributes ---- */

/* There are no *at() calls for them before Linux 6.13; a descriptor's directory in /proc is as good. */
struct place {
	int fd;                       /* of the entry itself, or -1: then by path */
	char path[PATH_MAX];
};

static int place_of(int dir_fd, const char *name, struct place *ret_place)
{
	int n;

	ret_place->fd = -1;
	if (dir_fd == AT_FDCWD)
		n = snprintf(ret_place->path, sizeof ret_place->path, "%s", name);
	else
		n = snprintf(ret_place->path, sizeof ret_place->path, "/proc/self/fd/%d/%s", dir_fd, name);
	return n < (int)sizeof ret_place->path ? 0 : -ENAMETOOLONG;
}

bool tree_copy_leaves_out(const char *name)
{
	static const char *const names[] = { "origin", "impure", "uuid", "nlink", "upper", "metacopy", "redirect" };
	const char *rest = text_after(name, "trusted.overlay.");

	for (size_t i = 0; rest && i < sizeof names / sizeof *names; i++)
		if (text_equal(rest, names[i]))
			return true;
	return false;
}

int tree_mark_whiteouts(int fd)
{
	return fsetxattr(fd, "trusted.overlay.origin", "", 0, 0) < 0 ? -errno : 0;
}

static int copy_xattr(const struct place *from, const char *name, char *value, const struct place *to)
{
	ssize_t n = from->fd >= 0 ? fgetxattr(from->fd, name, value, XATTR_SIZE_MAX)
				  : lgetxattr(from->path, name, value, XATTR_SIZE_MAX);

	return n < 0 || lsetxattr(to->path, name, value, (size_t)n, 0) < 0 ? -errno : 0;
}

/* What a default ACL of its directory has given to a new entry is not the source's. */
static int drop_inherited(const struct place *to)
{
	static const char *const names[] = { "system.posix_acl_access", "system.posix_acl_default" };

	if (llistxattr(to->path, NULL, 0) <= 0)
		return 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (lremovexattr(to->path, names[i]) < 0 && errno != ENODATA && errno != ENOTSUP)
			return -errno;
	return 0;
}

static int copy_xattrs(const struct place *from, const struct place *to)
{
	CLEANUP_FREE char *names = malloc(XATTR_LIST_MAX);
	CLEANUP_FREE char *value = NULL;
	ssize_t size;
	int r;

	if (!names)
		return -ENOMEM;
	r = drop_inherited(to);
	size = from->fd >= 0 ? flistxattr(from->fd, names, XATTR_LIST_MAX)
			     : llistxattr(from->path, names, XATTR_LIST_MAX);
	if (size < 0)
		return errno == ENOTSUP ? r : -errno;
	for (const char *name = names; r == 0 && name < names + size; name += strlen(name) + 1) {
		if (tree_copy_leaves_out(name))
			continue;
		if (!value)
			value = malloc(XATTR_SIZE_MAX);
		r = value ? copy_xattr(from, name, value, to) : -ENOMEM;
	}
	return r;
}

/* ---- owner, mode, times ---- */

static int set_owner(int dir_fd, const char *name, const struct stat *like)
{
	return fchownat(dir_fd, name, like->st_uid, like->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* The caller made the entry or looked at it just now, and nobody else is there: what is no link stays none. */
static int set_mode_and_times(int dir_fd, const char *name, const struct stat *like)
{
	const struct timespec times[] = { like->st_atim, like->st_mtim };
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(st.st_mode) && fchmodat(dir_fd, name, like->st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int tree_set_attributes(int dir_fd, const char *name, const struct stat *like)
{
	int r = set_owner(dir_fd, name, like);

	return r < 0 ? r : set_mode_and_times(dir_fd, name, like);
}

/* A change of owner drops capabilities, so it is first; a mode is also the mask of an ACL, so it is after them. */
static int copy_attributes(const struct place *from, int to_fd, const char *to, const struct stat *like)
{
	struct place target;
	int r = place_of(to_fd, to, &target);

	if (r == 0)
		r = set_owner(to_fd, to, like);
	if (r == 0 && from)
		r = copy_xattrs(from, &target);
	return r < 0 ? r : set_mode_and_times(to_fd, to, like);
}

int tree_copy_attributes(int source_fd, int to_fd, const char *to, const struct stat *like)
{
	struct place from = { .fd = source_fd };

	return copy_attributes(source_fd >= 0 ? &from : NULL, to_fd, to, like);
}

/* ---- content ---- */

/* Where the kernel cannot copy by itself: other file systems, and such as it does not trust with it. */
static int copy_by_hand(int from_fd, int to_fd, off_t offset, off_t end)
{
	CLEANUP_FREE char *data = malloc(COPY_BYTES);

	if (!data)
		return -ENOMEM;
	if (lseek(to_fd, offset, SEEK_SET) < 0)
		return -errno;
	while (offset < end) {
		size_t want = end - offset < COPY_BYTES ? (size_t)(end - offset) : COPY_BYTES;
		ssize_t n = pread(from_fd, data, want, offset);
		int r;

		if (n <= 0)
			return n < 0 ? -errno : 0;
		r = fd_write_all(to_fd, data, (size_t)n);
		if (r < 0)
			return r;
		offset += n;
	}
	return 0;
}

static bool cannot_copy(int error)
{
	return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM;
}

static int copy_range(int from_fd, int to_fd, off_t offset, off_t end)
{
	off_t to = offset;

	while (offset < end) {
		ssize_t n = copy_file_range(from_fd, &offset, to_fd, &to, (size_t)(end - offset), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && !cannot_copy(errno))
			return -errno;
		if (n <= 0)
			return copy_by_hand(from_fd, to_fd, offset, end);
	}
	return 0;
}

/* A file system that knows of no holes says that everything is data. */
static int copy_content(int from_fd, int to_fd, off_t size)
{
	off_t data, end = 0, length = 0;
	int r = 0;

	if (size == 0 || ioctl(to_fd, FICLONE, from_fd) == 0)
		return 0;
	while (r == 0 && end < size) {
		data = lseek(from_fd, end, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		end = data < 0 ? -1 : lseek(from_fd, data, SEEK_HOLE);
		if (end < 0)
			return -errno;
		length = end < size ? end : size;
		r = copy_range(from_fd, to_fd, data, length);
	}
	if (r == 0 && length < size && ftruncate(to_fd, size) < 0)
		r = -errno;
	return r;
}

/* ---- entries ---- */

static int copy_file(int from_fd, const char *from, int to_fd, const char *to, bool write_out)
{
	CLEANUP_FD int source = openat(from_fd, from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	CLEANUP_FD int target = -1;
	struct stat st;
	int r;

	if (source < 0 || fstat(source, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBUSY; /* it was one a moment ago */
	target = openat(to_fd, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (target < 0)
		return -errno;
	r = copy_content(source, target, st.st_size);
	if (r == 0 && write_out)
		(void)sync_file_range(target, 0, 0, SYNC_FILE_RANGE_WRITE); /* so that a later wait is short */
	return r;
}

static int copy_link(int from_fd, const char *from, int to_fd, const char *to)
{
	char target[PATH_MAX + 1];
	ssize_t n = readlinkat(from_fd, from, target, sizeof target);

	if (n < 0)
		return -errno;
	if (n == sizeof target)
		return -ENAMETOOLONG;
	target[n] = '\0';
	return symlinkat(target, to_fd, to) < 0 ? -errno : 0;
}

static int make_node(int to_fd, const char *to, const struct stat *st)
{
	return mknodat(to_fd, to, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0 ? -errno : 0;
}

static int copy_entry(int from_fd, const char *from, int to_fd, const char *to, const struct stat *like, bool write_out)
{
	struct place source;
	struct stat st;
	int r = place_of(from_fd, from, &source);

	if (r < 0)
		return r;
	if (fstatat(from_fd, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		r = copy_file(from_fd, from, to_fd, to, write_out);
	else if (S_ISLNK(st.st_mode))
		r = copy_link(from_fd, from, to_fd, to);
	else if (S_ISDIR(st.st_mode))
		r = mkdirat(to_fd, to, 0700) < 0 ? -errno : 0;
	else
		r = make_node(to_fd, to, &st);
	return r < 0 ? r : copy_attributes(&source, to_fd, to, like ? like : &st);
}

int tree_copy_entry(int from_fd, const char *from, int to_fd, const char *to, const struct stat *like)
{
	return copy_entry(from_fd, from, to_fd, to, like, true);
}

int tree_copy_entry_lazily(int from_fd, const char *from, int to_fd, const char *to, const struct stat *like)
{
	return copy_entry(from_fd, from, to_fd, to, like, false);
}
