/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-attributes.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/limits.h>
#include <sys/xattr.h>

#include "stream-format.h"
#include "util/text.h"
#include "util/tree-copy.h"

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

enum { NANOSECONDS = 1000000000, PATH_SIZE = 64 + NAME_MAX };

static const char *proc_path(char path[PATH_SIZE], int dir_fd, const char *name)
{
	snprintf(path, PATH_SIZE, "/proc/self/fd/%d/%s", dir_fd, name);
	return path;
}

/* ---- what may come ---- */

static bool is_mark(const char *name)
{
	return text_equal(name, STREAM_MARK_SOCKET) || text_equal(name, STREAM_MARK_GONE) ||
	       text_equal(name, STREAM_MARK_NAME);
}

/* A version, and entries of eight bytes: of what is not so, kernels say that the file system does not support it. */
static bool is_acl(const void *value, size_t size)
{
	return size >= 4 && size % 8 == 4 && memcmp(value, "\2\0\0", 4) == 0;
}

static const char *check_xattrs(struct archive_entry *entry, bool privileged)
{
	const void *value;
	const char *name;
	size_t size;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
		enum stream_xattr rule = is_mark(name) ? STREAM_XATTR_CARRIED : stream_xattr_rule(name, value, size);

		if (strlen(name) > XATTR_NAME_MAX || size > XATTR_SIZE_MAX)
			return "has an extended attribute that is too long";
		if ((text_equal(name, ACL_ACCESS) || text_equal(name, ACL_DEFAULT)) && !is_acl(value, size))
			return "has an access control list that is none";
		if (rule == STREAM_XATTR_LEFT_OUT)
			return "has an extended attribute that a stream must not carry";
		if (rule == STREAM_XATTR_PRIVILEGED && !privileged)
			return "has an extended attribute that only a privileged container can have";
	}
	return NULL;
}

const char *stream_attributes_check(struct archive_entry *entry, bool privileged)
{
	la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
	long nanoseconds = archive_entry_mtime_nsec(entry);

	if (archive_entry_hardlink(entry))
		return NULL; /* nothing of what it says is used */
	if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return "has an owner that no file can have";
	if (nanoseconds < 0 || nanoseconds >= NANOSECONDS)
		return "has a time that no file can have";
	return check_xattrs(entry, privileged);
}

/* ---- setting ---- */

static int set_xattrs(int dir_fd, const char *name, int fd, struct archive_entry *entry)
{
	char path[PATH_SIZE];
	const char *attribute;
	const void *value;
	size_t size;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &attribute, &value, &size) == ARCHIVE_OK) {
		int r;

		if (is_mark(attribute))
			continue;
		r = fd >= 0 ? fsetxattr(fd, attribute, value, size, 0)
			    : lsetxattr(proc_path(path, dir_fd, name), attribute, value, size, 0);
		if (r < 0)
			return -errno;
	}
	return 0;
}

struct timespec stream_attributes_mtime(struct archive_entry *entry)
{
	return (struct timespec){ archive_entry_mtime(entry), archive_entry_mtime_nsec(entry) };
}

/* A change of owner drops capabilities and setuid bits; a mode is also the mask of an access control list. */
int stream_attributes_set(int dir_fd, const char *name, int fd, struct archive_entry *entry)
{
	uid_t uid = (uid_t)archive_entry_uid(entry);
	gid_t gid = (gid_t)archive_entry_gid(entry);
	mode_t mode = archive_entry_perm(entry) & 07777;
	const struct timespec times[] = { stream_attributes_mtime(entry), stream_attributes_mtime(entry) };
	int r;

	if ((fd >= 0 ? fchown(fd, uid, gid) : fchownat(dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW)) < 0)
		return -errno;
	r = set_xattrs(dir_fd, name, fd, entry);
	if (r < 0)
		return r;
	/* Without a descriptor it was made just now and is no link, or it is one and has no mode. */
	if (fd >= 0 ? fchmod(fd, mode) < 0
		    : archive_entry_filetype(entry) != AE_IFLNK && fchmodat(dir_fd, name, mode, 0) < 0)
		return -errno;
	return (fd >= 0 ? futimens(fd, times) : utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW)) < 0 ? -errno : 0;
}

/* ---- what was there before ---- */

int stream_attributes_clear(int fd)
{
	CLEANUP_FREE char *names = NULL;
	ssize_t n = flistxattr(fd, NULL, 0);

	if (n == 0 || (n < 0 && errno == EOPNOTSUPP))
		return 0;
	names = malloc(XATTR_LIST_MAX);
	if (!names)
		return -ENOMEM;
	n = flistxattr(fd, names, XATTR_LIST_MAX);
	if (n < 0)
		return -errno;
	for (const char *name = names; name < names + n; name += strlen(name) + 1)
		if (stream_xattr_is_ours(name) && !tree_copy_leaves_out(name) && fremovexattr(fd, name) < 0)
			return -errno;
	return 0;
}

bool stream_attributes_are_inherited(int dir_fd)
{
	return fgetxattr(dir_fd, ACL_DEFAULT, NULL, 0) > 0;
}

static int remove_acl(const char *path, const char *which)
{
	return lremovexattr(path, which) < 0 && errno != ENODATA && errno != EOPNOTSUPP ? -errno : 0;
}

int stream_attributes_disinherit(int dir_fd, const char *name)
{
	char path[PATH_SIZE];
	int r = remove_acl(proc_path(path, dir_fd, name), ACL_ACCESS);

	return r < 0 ? r : remove_acl(path, ACL_DEFAULT);
}
