/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "view.h"

#include <fcntl.h>

#include "../util/file.h"
#include "../util/tree.h"
#include "entry.h"

/*
 * Is it a directory that hides what the base has in it, or none at all? -ENOENT where the top layer has nothing there.
 */
static int hides_base(int top_fd, const char *path)
{
	CLEANUP_FD int fd = tree_open_beneath(top_fd, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd == -ENOTDIR || fd == -ELOOP ? 1 : fd;
	return entry_is_opaque(fd);
}

int view_is_covered(const struct view *view, const char *path)
{
	CLEANUP_FREE char *prefix = strdup(path);
	int r = 0;

	if (!prefix)
		return -ENOMEM;
	if (view->top_fd < 0)
		return 0;
	for (char *slash = strchr(prefix, '/'); r == 0 && slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = hides_base(view->top_fd, prefix);
		*slash = '/';
	}
	return r == -ENOENT ? 0 : r;
}

/* By a directory above it, or by something that is no directory, a whiteout for example, at the path itself? */
static int is_hidden(const struct view *view, const char *path)
{
	CLEANUP_FD int fd = view->top_fd < 0 ? -ENOENT : tree_open_beneath(view->top_fd, path, O_PATH);

	if (fd >= 0)
		return 1;
	return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? view_is_covered(view, path) : fd;
}

int view_open(const struct view *view, const char *path, int flags)
{
	CLEANUP_FD int fd = -1;
	struct stat st;
	int hidden;

	flags |= O_RDONLY | O_NONBLOCK | O_NOCTTY;
	fd = view->top_fd < 0 ? -ENOENT : tree_open_beneath(view->top_fd, path, O_PATH);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0)
		return -ENOENT;
	if (fd >= 0) {
		close_fd(fd);
		fd = S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? tree_open_beneath(view->top_fd, path, flags)
								: -EINVAL;
	} else if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) {
		hidden = view_is_covered(view, path);
		if (hidden)
			return hidden < 0 ? hidden : -ENOENT;
		fd = tree_open_beneath(view->base_fd, path, flags);
	}
	if (fd < 0)
		return fd == -ENOTDIR || fd == -ELOOP ? -ENOENT : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) || ((flags & O_DIRECTORY) && S_ISDIR(st.st_mode)) ? take_fd(&fd) : -EINVAL;
}

int view_read(const struct view *view, const char *path, size_t max, char **ret_text)
{
	CLEANUP_FD int fd = view_open(view, path, 0);
	CLEANUP_FREE char *text = NULL;
	size_t length;
	int r = fd < 0 ? fd : fd_read_all(fd, max, &text, &length);

	if (r < 0)
		return r;
	if (strlen(text) != length) /* no database of text has NUL bytes */
		return -EINVAL;
	*ret_text = TAKE_PTR(text);
	return 0;
}

static int list_one(int dir_fd, const char *path, int top_fd, struct text_list *names)
{
	CLEANUP_DIR DIR *dir = NULL;
	struct dirent *entry;
	int fd = tree_open_beneath(dir_fd, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? 0 : fd;
	dir = take_dir(fd);
	if (!dir)
		return -errno;
	while ((errno = 0, entry = readdir(dir))) {
		struct stat st;

		if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
			continue;
		/* What the top layer has of that name was seen there, or is its whiteout. */
		if (top_fd >= 0 && fstatat(top_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (top_fd < 0 && fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) &&
		    st.st_rdev == 0)
			continue;
		if (text_list_add(names, entry->d_name) < 0)
			return -ENOMEM;
	}
	return -errno;
}

int view_list(const struct view *view, const char *path, struct text_list *names)
{
	CLEANUP_FD int top_fd = -1;
	int r = 0;

	if (view->top_fd >= 0) {
		top_fd = tree_open_beneath(view->top_fd, path, O_RDONLY | O_DIRECTORY);
		r = top_fd < 0 ? 0 : list_one(view->top_fd, path, -1, names);
		if (r == 0)
			r = top_fd < 0                ? is_hidden(view, path)
			    : entry_is_opaque(top_fd) ? 1
						      : view_is_covered(view, path);
	}
	if (r == 0)
		r = list_one(view->base_fd, path, top_fd, names);
	text_list_sort(names);
	return r < 0 ? r : 0;
}

int view_top_decides(const struct view *view, const char *path)
{
	return is_hidden(view, path);
}

int view_open_base_parent(const struct view *view, const char *path, const char **ret_name)
{
	CLEANUP_FREE char *parent = strdup(path);
	char *slash = parent ? strrchr(parent, '/') : NULL;

	if (!parent)
		return -ENOMEM;
	*ret_name = slash ? path + (slash - parent) + 1 : path;
	if (slash)
		*slash = '\0';
	return tree_open_beneath(view->base_fd, slash ? parent : ".", O_PATH | O_DIRECTORY);
}
