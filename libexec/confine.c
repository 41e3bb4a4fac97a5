/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "confine.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "util/cleanup.h"

int confine_writes_to(const char *path)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	CLEANUP_FD int tree = -1;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof read_only) < 0)
		return -1;
	if (move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -1;
	return take_fd(&tree);
}
