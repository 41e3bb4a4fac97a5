/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes of directories. They are kept until all is copied: a default ACL would come upon what is made in a
 * directory, and a time would not last. So much memory is not to be had for them that a container could hurt the host.
 */
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/xattr.h>

#include "../util/text.h"
#include "../util/tree-copy.h"
#include "../util/tree.h"
#include "live-private.h"

enum { XATTRS_ALL_MAX = 64 << 20, GUESS = 512 };

/* Those that a directory usually has fit into a guess. */
static ssize_t list_names(int fd, char **ret_names)
{
	char guess[GUESS];
	ssize_t n = flistxattr(fd, guess, sizeof guess);

	if (n < 0 && errno == ENOTSUP)
		return 0;
	if (n == 0 || (n < 0 && errno != ERANGE))
		return n;
	*ret_names = malloc(XATTR_LIST_MAX);
	if (!*ret_names)
		return -1;
	return flistxattr(fd, *ret_names, XATTR_LIST_MAX);
}

static int add_xattr(struct buffer *xattrs, int fd, const char *name, char *value)
{
	ssize_t n = fgetxattr(fd, name, value, XATTR_SIZE_MAX);
	size_t length = (size_t)n;

	if (n < 0)
		return -errno;
	buffer_add(xattrs, name, strlen(name) + 1);
	buffer_add(xattrs, &length, sizeof length);
	buffer_add(xattrs, value, length);
	return 0;
}

static int read_xattrs(int fd, struct buffer *xattrs)
{
	CLEANUP_FREE char *names = NULL;
	CLEANUP_FREE char *value = NULL;
	ssize_t size = list_names(fd, &names);
	int r = 0;

	if (size < 0)
		return -errno;
	if (size > 0)
		value = malloc(XATTR_SIZE_MAX);
	if (size > 0 && !value)
		return -ENOMEM;
	for (const char *name = names; r == 0 && size > 0 && name < names + size; name += strlen(name) + 1)
		if (!tree_copy_leaves_out(name))
			r = add_xattr(xattrs, fd, name, value);
	return r == 0 && xattrs->failed ? -ENOMEM : r;
}

int live_directory_read(struct live_worker *worker, struct live_node *node, int fd, const struct stat *st)
{
	CLEANUP_BUFFER struct buffer xattrs = { 0 };
	struct live_directory *directory = node->directory;
	int r = read_xattrs(fd, &xattrs);

	if (r < 0)
		return r;
	directory->atime = st->st_atim;
	atomic_fetch_sub(&worker->copy->xattrs_length, directory->xattrs_length);
	free(directory->xattrs);
	directory->xattrs = TAKE_PTR(xattrs.data);
	directory->xattrs_length = xattrs.length;
	if (atomic_fetch_add(&worker->copy->xattrs_length, xattrs.length) + xattrs.length > XATTRS_ALL_MAX)
		return -E2BIG;
	return 0;
}

static int set_xattrs(const struct live_directory *directory, int fd)
{
	const char *at = directory->xattrs, *end = at + directory->xattrs_length;
	int r = 0;

	while (r == 0 && at < end) {
		const char *name = at;
		size_t length;

		at += strlen(name) + 1;
		memcpy(&length, at, sizeof length);
		at += sizeof length;
		r = fsetxattr(fd, name, at, length, 0) < 0 ? -errno : 0;
		at += length;
	}
	return r;
}

static bool has_whiteouts(const struct live_directory *directory)
{
	for (size_t i = 0; i < directory->count; i++) {
		const struct live_node *child = directory->children[i];

		if (child->made && live_is_whiteout(child->state.mode, child->state.rdev))
			return true;
	}
	return false;
}

int live_directory_finish(struct live_worker *worker, struct live_node *node)
{
	const struct live_state *state = &node->state;
	const struct stat like = {
		.st_mode = state->mode,
		.st_uid = state->uid,
		.st_gid = state->gid,
		.st_atim = node->directory->atime,
		.st_mtim = { .tv_sec = state->mtime, .tv_nsec = state->mtime_ns },
	};
	CLEANUP_FD int fd = -1;
	int r;

	if (!live_node_path(node, worker->path))
		return live_fail(worker, -ENAMETOOLONG, "copy", node);
	fd = tree_open_beneath(worker->copy->target_fd, worker->path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return live_fail(worker, fd, "open the copy of", node);
	r = fchown(fd, like.st_uid, like.st_gid) < 0 ? -errno : set_xattrs(node->directory, fd);
	if (r == 0 && node->parent && has_whiteouts(node->directory))
		r = tree_mark_whiteouts(fd);
	if (r == 0)
		r = tree_set_attributes(fd, ".", &like);
	return r < 0 ? live_fail(worker, r, "copy the attributes of", node) : 0;
}
