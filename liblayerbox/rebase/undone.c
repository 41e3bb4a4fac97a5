/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rebase/undone: what a container changed after a rebase that was undone, for its owner to look at. */
#include <fcntl.h>
#include <sys/stat.h>

#include "../util/tree.h"
#include "transaction-private.h"

static int open_made(int dir_fd, const char *name)
{
	if (mkdirat(dir_fd, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	return tree_open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY);
}

/* Directories may be the container's own, which were displaced before. A link among them is a failure, not followed. */
static int open_parent(int undone_fd, const char *path, const char **ret_name)
{
	CLEANUP_FREE char *copy = strdup(path);
	const char *last = strrchr(path, '/');
	int fd = fcntl(undone_fd, F_DUPFD_CLOEXEC, 0);
	char *name = copy;

	*ret_name = last ? last + 1 : path;
	if (fd < 0 || !copy) {
		close_fd(fd);
		return -ENOMEM;
	}
	for (char *slash = strchr(name, '/'); fd >= 0 && slash; slash = strchr(name, '/')) {
		int next;

		*slash = '\0';
		next = open_made(fd, name);
		close_fd(fd);
		fd = next;
		name = slash + 1;
	}
	return fd;
}

int undone_keep(const struct workspace *ws, int from_fd, const char *name, const char *path, unsigned number)
{
	CLEANUP_FD int undone_fd = open_made(ws->rebase_fd, WORKSPACE_UNDONE);
	CLEANUP_FD int parent = -1;
	const char *last;
	char other[256];

	if (undone_fd < 0)
		return undone_fd;
	parent = open_parent(undone_fd, path, &last);
	if (parent >= 0 && renameat2(from_fd, name, parent, last, RENAME_NOREPLACE) == 0)
		return 0;
	if (parent >= 0 ? errno != EEXIST : !workspace_is_absent(parent))
		return parent >= 0 ? -errno : parent;
	snprintf(other, sizeof other, "%.200s.%u", last, number);
	return renameat2(from_fd, name, undone_fd, other, RENAME_NOREPLACE) < 0 ? -errno : 0;
}
