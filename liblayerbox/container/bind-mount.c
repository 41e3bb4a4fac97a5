/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bind-mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "../adapters/mount-clone.h"
#include "../adapters/overlay.h"
#include "../core/store.h"
#include "../util/tree.h"

/* ---- what is on the way from / ---- */

/* A path has at most half of PATH_MAX directories. */
enum { DEPTH_MAX = 2048 };

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * Calls @fn for the directory @dir_fd and each one above it, until it says 1. Asked of the kernel, and not of a path:
 * it sees through what is mounted twice on the host.
 */
static int walk_up(int dir_fd, bool (*fn)(const struct stat *st, const struct stat *wanted), const struct stat *wanted)
{
	CLEANUP_FD int fd = openat(dir_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st, above;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		int up;

		if (fn(&st, wanted))
			return 1;
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up < 0)
			return -errno;
		close_fd(fd);
		fd = up;
		if (fstat(fd, &above) < 0)
			return -errno;
		if (is_same(&st, &above))
			return 0;
		st = above;
	}
	return -ELOOP;
}

/* Can nobody but root walk through it? */
static bool is_closed(const struct stat *st, const struct stat *unused)
{
	(void)unused;
	return st->st_uid == 0 && !(st->st_mode & (S_IXGRP | S_IXOTH));
}

/* The directory of what @bind mounts. */
static int open_parent(const struct bind *bind, int fd, bool is_directory)
{
	CLEANUP_FREE char *path = NULL;
	int parent_fd;

	if (is_directory) {
		parent_fd = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		return parent_fd < 0 ? -errno : parent_fd;
	}
	path = strndup(bind->source, (size_t)(strrchr(bind->source, '/') - bind->source) + 1);
	return path ? tree_open_without_links(path, O_PATH | O_DIRECTORY) : -ENOMEM;
}

/* ---- what may be mounted ---- */

static int fail_source(struct lb_context *ctx, const struct bind *bind, int error)
{
	const char *key = bind->key, *source = bind->source;

	if (error == -ENOENT || error == -ENOTDIR)
		return fail(ctx, -LB_ERR_BAD_VALUE, "%s: there is no %s on this host", key, source);
	if (error == -ELOOP)
		return fail(ctx, -LB_ERR_BAD_VALUE,
			    "%s: there is a symbolic link in %s, and somebody could turn it to other files: give the path "
			    "that `realpath` says",
			    key, source);
	return fail(ctx, -LB_ERR_BAD_VALUE, "%s: cannot open %s: %s", key, source, strerrordesc_np(-error));
}

/* Other customers' files lie below layerbox's root. */
static int refuse_store(struct lb_context *ctx, const struct bind *bind, int parent_fd, const struct stat *st)
{
	struct stat root;
	int r = store_open(ctx), above;

	if (r < 0)
		return r;
	if (fstat(ctx->root_fd, &root) < 0)
		return fail_errno(ctx, errno, "cannot look at %s", ctx->config.root);
	r = is_same(st, &root) ? 1 : walk_up(parent_fd, is_same, &root);
	above = S_ISDIR(st->st_mode) ? walk_up(ctx->root_fd, is_same, st) : 0;
	if (r < 0 || above < 0)
		return fail_source(ctx, bind, r < 0 ? r : above);
	if (r || above)
		return fail(ctx, -LB_ERR_BAD_VALUE,
			    "%s: %s is in layerbox's own directory %s, or has it in it, with the files of all containers",
			    bind->key, bind->source, ctx->config.root);
	return 0;
}

/*
 * Ids are the same on both sides, so a program that the container's root gives to root with the setuid bit is one on
 * the host as well. The directory itself does not keep others out: its owner may be the container's root, who opens it.
 */
static int require_closed(struct lb_context *ctx, const struct bind *bind, int parent_fd)
{
	int r = walk_up(parent_fd, is_closed, NULL);

	if (r < 0)
		return fail_source(ctx, bind, r);
	if (r == 0)
		return fail(ctx, -LB_ERR_BAD_VALUE,
			    "%s: no directory above %s is closed to everybody but root, so a setuid program that the "
			    "container leaves there could be run on the host: `chmod 700` one of them, or bind it "
			    "read-only with :ro",
			    bind->key, bind->source);
	return 0;
}

int bind_open_source(struct lb_context *ctx, const struct bind *bind, int *ret_fd)
{
	CLEANUP_FD int fd = tree_open_without_links(bind->source, O_PATH);
	CLEANUP_FD int parent_fd = -1;
	struct stat st;
	int r;

	if (fd < 0)
		return fail_source(ctx, bind, fd);
	if (fstat(fd, &st) < 0)
		return fail_source(ctx, bind, -errno);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return fail(ctx, -LB_ERR_BAD_VALUE, "%s: %s is neither a directory nor a regular file", bind->key,
			    bind->source);
	parent_fd = open_parent(bind, fd, S_ISDIR(st.st_mode));
	if (parent_fd < 0)
		return fail_source(ctx, bind, parent_fd);
	r = refuse_store(ctx, bind, parent_fd, &st);
	if (r == 0 && !bind->read_only)
		r = require_closed(ctx, bind, parent_fd);
	if (r == 0)
		*ret_fd = take_fd(&fd);
	return r;
}

/* ---- where it is mounted ---- */

/* Makes a directory of the container's tree unless it is there. */
static int make_directory(int root_fd, const char *path)
{
	CLEANUP_FD int fd = tree_open_in_root(root_fd, path, O_PATH | O_DIRECTORY, 0);
	CLEANUP_FD int parent_fd = -1;
	const char *name;

	if (fd != -ENOENT)
		return fd < 0 ? fd : 0;
	parent_fd = tree_open_parent_in_root(root_fd, path, &name);
	if (parent_fd < 0)
		return parent_fd;
	return mkdirat(parent_fd, name, 0755) < 0 ? -errno : 0;
}

static int make_file(int root_fd, const char *path)
{
	const char *name;
	CLEANUP_FD int parent_fd = tree_open_parent_in_root(root_fd, path, &name);
	CLEANUP_FD int fd = -1;

	if (parent_fd < 0)
		return parent_fd;
	fd = openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : 0;
}

/* With all above it. A link to nothing is in the way of whatever it stands for: -EEXIST. */
static int make_target(int root_fd, const char *target, bool is_directory)
{
	CLEANUP_FREE char *path = strdup(target);
	int r = path ? 0 : -ENOMEM;

	for (char *p = path ? path + 1 : NULL; r == 0 && (p = strchr(p, '/')); p++) {
		*p = '\0';
		r = make_directory(root_fd, path);
		*p = '/';
	}
	if (r < 0)
		return r;
	return is_directory ? make_directory(root_fd, target) : make_file(root_fd, target);
}

static int make_target_as(uint32_t id, int root_fd, const char *target, bool is_directory)
{
	mode_t mask = umask(022);
	int r = id ? overlay_become(id) : 0;

	if (r == 0)
		r = make_target(root_fd, target, is_directory);
	if (id)
		overlay_become_root_again();
	umask(mask);
	return r;
}

static int fail_target(struct lb_context *ctx, const struct bind *bind, int error)
{
	if (error == -EEXIST || error == -ENOTDIR || error == -ELOOP)
		return fail(ctx, -LB_ERR_BAD_VALUE,
			    "%s: in the container, something in the path %s is no directory, or a link that leads nowhere",
			    bind->key, bind->target);
	return fail(ctx, -LB_ERR_BAD_VALUE, "%s: cannot make %s in the container: %s", bind->key, bind->target,
		    strerrordesc_np(-error));
}

/* The tree is the customer's, who may have put links anywhere: none of them leads out of it. */
static int open_target(struct lb_context *ctx, const struct bind *bind, uint32_t id, int root_fd, bool is_directory,
		       int *ret_fd)
{
	CLEANUP_FD int fd = tree_open_in_root(root_fd, bind->target, O_PATH, 0);
	struct stat st, root;

	if (fd == -ENOENT) {
		int r = make_target_as(id, root_fd, bind->target, is_directory);

		fd = r < 0 ? r : tree_open_in_root(root_fd, bind->target, O_PATH, 0);
	}
	if (fd < 0)
		return fail_target(ctx, bind, fd);
	if (fstat(fd, &st) < 0 || fstat(root_fd, &root) < 0)
		return fail_target(ctx, bind, -errno);
	if (is_same(&st, &root))
		return fail(ctx, -LB_ERR_BAD_VALUE, "%s: in the container, %s leads back to /", bind->key, bind->target);
	if (is_directory != S_ISDIR(st.st_mode))
		return fail(ctx, -LB_ERR_BAD_VALUE, "%s: %s is a %s, and %s in the container is not", bind->key,
			    bind->source, is_directory ? "directory" : "file", bind->target);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* ---- mounting ---- */

static int clone_source(struct lb_context *ctx, const struct bind *bind, int source_fd, int userns_fd, int *ret_fd)
{
	const uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (bind->read_only ? MOUNT_ATTR_RDONLY : 0);
	int r = mount_clone(source_fd, userns_fd, attributes);

	if (r == -EINVAL && userns_fd >= 0)
		return fail(ctx, -LB_ERR_KERNEL,
			    "%s: with this kernel the file system of %s cannot be seen with a container's ids (no idmapped "
			    "mounts); put it on another one, such as ext4, XFS or btrfs",
			    bind->key, bind->source);
	if (r < 0)
		return fail(ctx, -LB_ERR_BAD_VALUE, "%s: cannot mount %s: %s", bind->key, bind->source,
			    strerrordesc_np(-r));
	*ret_fd = r;
	return 0;
}

static int mount_one(struct lb_context *ctx, const struct bind *bind, const struct record *record, int userns_fd,
		     int root_fd)
{
	CLEANUP_FD int source_fd = -1;
	CLEANUP_FD int clone_fd = -1;
	CLEANUP_FD int target_fd = -1;
	struct stat st;
	int r = bind_open_source(ctx, bind, &source_fd);

	if (r == 0 && fstat(source_fd, &st) < 0)
		r = fail_source(ctx, bind, -errno);
	if (r == 0)
		r = clone_source(ctx, bind, source_fd, userns_fd, &clone_fd);
	if (r == 0)
		r = open_target(ctx, bind, record->id_start, root_fd, S_ISDIR(st.st_mode), &target_fd);
	if (r < 0)
		return r;
	r = mount_clone_attach(clone_fd, target_fd);
	return r < 0 ? fail_target(ctx, bind, r) : 0;
}

int binds_mount(struct lb_context *ctx, const struct record *record, int root_fd)
{
	CLEANUP_FD int userns_fd = -1;
	int r = 0;

	if (record->binds.count && record->id_count) {
		userns_fd = overlay_user_namespace(record->id_start, record->id_count);
		if (userns_fd < 0)
			return fail_errno(ctx, userns_fd, "cannot make a user namespace");
	}
	/* In the order of their targets: what lies in another one is found in it. */
	for (size_t i = 0; r == 0 && i < record->binds.count; i++)
		r = mount_one(ctx, &record->binds.items[i], record, userns_fd, root_fd);
	return r;
}
