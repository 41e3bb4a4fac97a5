/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts-file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "../util/file.h"

enum { HOSTS_BYTES_MAX = 64 << 20, XATTR_BYTES_MAX = 64 * 1024, ATTEMPTS = 5 };

/* One look at the file, and what it is to be. */
struct view {
	const char *path;             /* as the caller calls it, for sentences */
	char *directory;              /* where the file itself is, behind links */
	const char *name;
	int directory_fd;
	struct stat st;
	bool exists;
	char *text, *wanted;
	size_t length, wanted_length;
};

static void view_close(struct view *view)
{
	close_fd(view->directory_fd);
	free(view->directory);
	free(view->text);
	free(view->wanted);
}

#define CLEANUP_VIEW CLEANUP(view_close)

/* The directory of the file itself and its name in there; @path may be a link. */
static int resolve(struct lb_context *ctx, struct view *view)
{
	char *slash;

	view->directory = realpath(view->path, NULL);
	if (!view->directory && errno == ENOENT && faccessat(AT_FDCWD, view->path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return fail(ctx, -ENOENT, "%s is a symbolic link to a file that is not there; make that file",
			    view->path);
	if (!view->directory && errno != ENOENT)
		return fail_errno(ctx, errno, "cannot find out where %s is", view->path);
	if (!view->directory)
		view->directory = strdup(view->path);
	slash = view->directory ? strrchr(view->directory, '/') : NULL;
	if (!view->directory)
		return fail_memory(ctx);
	view->name = slash ? slash + 1 : view->directory;
	view->directory_fd = -1;
	if (!slash) {
		view->directory_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} else {
		*slash = '\0';
		view->directory_fd = open(*view->directory ? view->directory : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return view->directory_fd < 0 ? fail_errno(ctx, errno, "cannot open the directory of %s", view->path) : 0;
}

static int look(struct lb_context *ctx, const struct hosts_block *block, struct view *view)
{
	char error[1024];
	int r = resolve(ctx, view);

	if (r < 0)
		return r;
	view->exists = fstatat(view->directory_fd, view->name, &view->st, AT_SYMLINK_NOFOLLOW) == 0;
	if (view->exists && !S_ISREG(view->st.st_mode))
		return fail(ctx, -EINVAL, "%s is not a file", view->path);
	r = view->exists ? file_read(view->directory_fd, view->name, HOSTS_BYTES_MAX, &view->text, &view->length) : 0;
	if (r < 0)
		return fail_errno(ctx, r, "cannot read %s", view->path);
	r = hosts_file_merge(view->text ? view->text : "", view->length, view->path, block, &view->wanted,
			     &view->wanted_length, error, sizeof error);
	return r < 0 ? fail(ctx, r == -EINVAL ? -LB_ERR_BAD_CONFIG : r, "%s", error) : 0;
}

static bool is_as_wanted(const struct view *view)
{
	return view->length == view->wanted_length &&
	       (view->length == 0 || memcmp(view->text, view->wanted, view->length) == 0);
}

/* Nobody has changed it since we looked, as an editor or a configuration manager may. */
static bool is_unchanged(const struct view *view)
{
	const struct stat *old = &view->st;
	struct stat st;

	if (fstatat(view->directory_fd, view->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return !view->exists;
	return view->exists && st.st_ino == old->st_ino && st.st_dev == old->st_dev && st.st_size == old->st_size &&
	       st.st_mtim.tv_sec == old->st_mtim.tv_sec && st.st_mtim.tv_nsec == old->st_mtim.tv_nsec &&
	       st.st_ctim.tv_sec == old->st_ctim.tv_sec && st.st_ctim.tv_nsec == old->st_ctim.tv_nsec;
}

/* Labels of SELinux, access lists; not what vouches for the contents (IMA, EVM), which are others now. */
static int copy_xattrs(int from_fd, int to_fd)
{
	CLEANUP_FREE char *names = malloc(XATTR_BYTES_MAX);
	CLEANUP_FREE char *value = malloc(XATTR_BYTES_MAX);
	ssize_t size;

	if (!names || !value)
		return -ENOMEM;
	size = flistxattr(from_fd, names, XATTR_BYTES_MAX);
	if (size < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (const char *name = names; name < names + size; name += strlen(name) + 1) {
		ssize_t n;

		if (text_equal(name, "security.ima") || text_equal(name, "security.evm"))
			continue;
		n = fgetxattr(from_fd, name, value, XATTR_BYTES_MAX);
		if (n < 0 || fsetxattr(to_fd, name, value, (size_t)n, 0) < 0)
			return -errno;
	}
	return 0;
}

/* What is not the contents: owner before mode, since a new owner takes bits of the mode away. */
static int copy_attributes(const struct view *view, int fd)
{
	CLEANUP_FD int old_fd = -1;

	if (!view->exists)
		return 0;
	if (fchown(fd, view->st.st_uid, view->st.st_gid) < 0 || fchmod(fd, view->st.st_mode & 07777) < 0)
		return -errno;
	old_fd = openat(view->directory_fd, view->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return old_fd < 0 ? -errno : copy_xattrs(old_fd, fd);
}

static int fail_to_replace(struct lb_context *ctx, const struct view *view, int error)
{
	if (error == -EBUSY)
		return fail(
			ctx, -EBUSY,
			"%s is a mount of its own, as in many application containers, so it cannot be replaced in one "
			"step; set `host_names = none` in layerbox.conf, or mount its directory instead",
			view->path);
	if (error == -EPERM)
		return fail(ctx, -EPERM, "%s cannot be replaced; is it immutable? `lsattr %s` says so", view->path,
			    view->path);
	return fail_errno(ctx, error, "cannot replace %s", view->path);
}

/* 1 where the file was changed by another meanwhile. */
static int replace(struct lb_context *ctx, const struct view *view)
{
	CLEANUP_FD int fd = -1;
	char temporary[NAME_MAX + 1];
	int r;

	/* Always the same name, which the lock makes ours: a killed command leaves one file at most. */
	snprintf(temporary, sizeof temporary, ".%.200s.layerbox-new", view->name);
	unlinkat(view->directory_fd, temporary, 0);
	r = file_create(view->directory_fd, temporary, view->wanted, view->wanted_length, view->exists ? 0600 : 0644,
			&fd);
	if (r == 0)
		r = copy_attributes(view, fd);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && !is_unchanged(view))
		r = 1;
	if (r == 0 && renameat2(view->directory_fd, temporary, view->directory_fd, view->name,
				view->exists ? 0 : RENAME_NOREPLACE) < 0)
		r = errno == EEXIST ? 1 : -errno;
	if (r != 0)
		unlinkat(view->directory_fd, temporary, 0);
	return r < 0 ? fail_to_replace(ctx, view, r) : r;
}

int hosts_file_has(struct lb_context *ctx, const char *path, const struct hosts_block *block)
{
	CLEANUP_VIEW struct view view = { .path = path, .directory_fd = -1 };
	int r = look(ctx, block, &view);

	return r < 0 ? r : is_as_wanted(&view);
}

int hosts_file_put(struct lb_context *ctx, const char *path, const struct hosts_block *block)
{
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		CLEANUP_VIEW struct view view = { .path = path, .directory_fd = -1 };
		int r = look(ctx, block, &view);

		if (r < 0 || is_as_wanted(&view))
			return r < 0 ? r : 1;
		r = replace(ctx, &view);
		if (r <= 0)
			return r;
	}
	return fail(ctx, -LB_ERR_BUSY, "%s is changed by another program again and again; try later", path);
}
