/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "workspace.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "../container/layout.h"
#include "../util/tree.h"

/* ---- opening ---- */

static int open_child(int dir_fd, const char *name, bool make)
{
	if (make && mkdirat(dir_fd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	return tree_open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY);
}

static int open_all(struct workspace *ws, int container_fd, bool make)
{
	int fd = fcntl(container_fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	ws->container_fd = fd;
	fd = open_child(container_fd, WORKSPACE, make);
	if (fd < 0)
		return fd == -ENOENT ? 1 : fd;
	ws->rebase_fd = fd;
	fd = open_child(container_fd, LAYOUT_TOP, false);
	if (fd < 0)
		return fd;
	ws->top_fd = fd;
	fd = open_child(ws->rebase_fd, WORKSPACE_NEW, make);
	if (fd < 0 && fd != -ENOENT)
		return fd;
	ws->new_fd = fd < 0 ? -1 : fd;
	fd = open_child(ws->rebase_fd, WORKSPACE_UNDO, make);
	if (fd < 0 && fd != -ENOENT)
		return fd;
	ws->undo_fd = fd < 0 ? -1 : fd;
	return 0;
}

/* A top layer that is a mount, or a subvolume, of its own: no rename leads into it. */
static int check_device(const struct workspace *ws)
{
	struct stat top, rebase;

	if (fstat(ws->top_fd, &top) < 0 || fstat(ws->rebase_fd, &rebase) < 0)
		return -errno;
	return top.st_dev == rebase.st_dev ? 0 : -EXDEV;
}

int workspace_open(struct lb_context *ctx, int container_fd, const char *name, bool make, struct workspace *ret_ws)
{
	CLEANUP_WORKSPACE struct workspace ws = WORKSPACE_CLOSED;
	int r;

	ws.ctx = ctx;
	ws.name = strdup(name);
	if (!ws.name)
		return fail_memory(ctx);
	r = open_all(&ws, container_fd, make);
	if (r == 0)
		r = check_device(&ws);
	if (r == -EXDEV)
		return fail(ctx, r,
			    "the top layer of container '%s' is on another file system than the container's directory; "
			    "a "
			    "rebase moves entries between them, so mount the directory as a whole",
			    name);
	if (r < 0)
		return fail_errno(ctx, r, "cannot open the top layer of container '%s' and " WORKSPACE "/ beside it",
				  name);
	if (r > 0)
		return 1;
	*ret_ws = ws;
	ws = (struct workspace)WORKSPACE_CLOSED;
	return 0;
}

void workspace_close(struct workspace *ws)
{
	close_fd(ws->container_fd);
	close_fd(ws->rebase_fd);
	close_fd(ws->top_fd);
	close_fd(ws->new_fd);
	close_fd(ws->undo_fd);
	close_fd(ws->parent_fd);
	free(ws->name);
	free(ws->parent_path);
	*ws = (struct workspace)WORKSPACE_CLOSED;
}

/* ---- paths ---- */

int workspace_directory(const struct workspace *ws, const char *path)
{
	return tree_open_beneath(ws->top_fd, path, O_RDONLY | O_DIRECTORY);
}

int workspace_parent(struct workspace *ws, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	char *parent;
	int fd;

	*ret_name = slash ? slash + 1 : path;
	if (slash && ws->parent_path && strncmp(ws->parent_path, path, n) == 0 && !ws->parent_path[n])
		return ws->parent_fd;
	/* Whoever moves a directory comes by here for its parent, so that none that was moved is remembered. */
	free(TAKE_PTR(ws->parent_path));
	close_fd(take_fd(&ws->parent_fd));
	if (!slash)
		return ws->top_fd;
	parent = strndup(path, n);
	if (!parent)
		return -ENOMEM;
	fd = workspace_directory(ws, parent);
	if (fd < 0) {
		free(parent);
		return fd;
	}
	ws->parent_path = parent;
	ws->parent_fd = fd;
	return fd;
}

bool workspace_is_absent(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP;
}

struct workspace_name workspace_number(unsigned number, const char *suffix)
{
	struct workspace_name name;

	snprintf(name.text, sizeof name.text, "%u%s", number, suffix);
	return name;
}

bool workspace_has(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int workspace_fail(const struct workspace *ws, int error, const char *what, const char *path)
{
	CLEANUP_FREE char *shown = strdup(path);

	if (!shown)
		return fail_memory(ws->ctx);
	return fail_errno(ws->ctx, error, "cannot %s '%s' in the top layer of container '%s'", what,
			  text_printable(shown), ws->name);
}
