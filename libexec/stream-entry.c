/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-entry.h"

#include <archive_entry.h>
#include <limits.h>
#include <linux/limits.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "stream-content.h"
#include "stream-format.h"

/* What a header has besides name and value of an attribute, at most. */
enum { KEYWORD_BYTES = 32 };

/* Where its attributes are: there are no *at() calls for what cannot be opened, so through /proc. */
struct place {
	int fd;
	char path[64 + NAME_MAX];
};

static ssize_t list_xattrs(const struct place *place, char *names, size_t size)
{
	return place->fd >= 0 ? flistxattr(place->fd, names, size) : llistxattr(place->path, names, size);
}

static ssize_t get_xattr(const struct place *place, const char *name, char *value, size_t size)
{
	return place->fd >= 0 ? fgetxattr(place->fd, name, value, size) : lgetxattr(place->path, name, value, size);
}

static int fail_read(struct stream_error *error, const char *member)
{
	return stream_fail_errno(error, STREAM_FAILED, errno, "cannot read %s", member);
}

static int add_xattrs_of(struct archive_entry *entry, const char *member, const struct place *place, const char *names,
			 size_t length, struct stream_error *error)
{
	CLEANUP_FREE char *value = malloc(XATTR_SIZE_MAX);
	size_t total = 0;

	if (!value)
		return stream_fail(error, STREAM_FAILED, "out of memory");
	for (const char *name = names; name < names + length; name += strlen(name) + 1) {
		ssize_t n = stream_xattr_is_ours(name) ? get_xattr(place, name, value, XATTR_SIZE_MAX) : -1;

		if (!stream_xattr_is_ours(name))
			continue;
		if (n < 0)
			return fail_read(error, member);
		if (stream_xattr_rule(name, value, (size_t)n) == STREAM_XATTR_LEFT_OUT)
			continue;
		total += 3 * strlen(name) + (size_t)n * 4 / 3 + KEYWORD_BYTES;
		if (total > STREAM_XATTRS_MAX)
			return stream_fail(error, STREAM_FAILED,
					   "cannot send %s: its extended attributes are too large", member);
		archive_entry_xattr_add_entry(entry, name, value, (size_t)n);
	}
	return 0;
}

static int add_xattrs(struct archive_entry *entry, const char *member, const struct place *place,
		      struct stream_error *error)
{
	CLEANUP_FREE char *names = NULL;
	ssize_t n = list_xattrs(place, NULL, 0);

	if (n == 0 || (n < 0 && errno == EOPNOTSUPP))
		return 0;
	names = malloc(XATTR_LIST_MAX);
	if (!names)
		return stream_fail(error, STREAM_FAILED, "out of memory");
	n = list_xattrs(place, names, XATTR_LIST_MAX);
	return n < 0 ? fail_read(error, member) : add_xattrs_of(entry, member, place, names, (size_t)n, error);
}

static int add_target(struct archive_entry *entry, const char *member, int dir_fd, const char *name,
		      struct stream_error *error)
{
	char target[PATH_MAX + 1];
	ssize_t n = readlinkat(dir_fd, name, target, PATH_MAX);

	if (n < 0)
		return fail_read(error, member);
	target[n] = '\0';
	archive_entry_copy_symlink(entry, target);
	return 0;
}

/* tar knows no sockets. */
static void set_type(struct archive_entry *entry, const struct stat *st)
{
	archive_entry_set_perm(entry, st->st_mode & 07777);
	if (S_ISSOCK(st->st_mode)) {
		archive_entry_set_filetype(entry, AE_IFIFO);
		archive_entry_xattr_add_entry(entry, STREAM_MARK_SOCKET, "y", 1);
		return;
	}
	archive_entry_set_filetype(entry, st->st_mode & S_IFMT);
	if (!S_ISCHR(st->st_mode) && !S_ISBLK(st->st_mode))
		return;
	archive_entry_set_rdevmajor(entry, major(st->st_rdev));
	archive_entry_set_rdevminor(entry, minor(st->st_rdev));
}

int stream_entry_fill(struct archive_entry *entry, const char *member, int dir_fd, const char *name, int fd,
		      const struct stat *st, struct stream_error *error)
{
	struct place place = { .fd = fd };
	int r;

	archive_entry_copy_pathname(entry, member);
	set_type(entry, st);
	archive_entry_set_uid(entry, st->st_uid);
	archive_entry_set_gid(entry, st->st_gid);
	archive_entry_set_mtime(entry, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	archive_entry_set_size(entry, S_ISREG(st->st_mode) ? st->st_size : 0);
	snprintf(place.path, sizeof place.path, "/proc/self/fd/%d/%s", dir_fd, name);
	r = add_xattrs(entry, member, &place, error);
	if (r == 0 && S_ISLNK(st->st_mode))
		r = add_target(entry, member, dir_fd, name, error);
	if (r == 0 && S_ISREG(st->st_mode))
		r = stream_content_find_holes(fd, entry, error);
	return r;
}
