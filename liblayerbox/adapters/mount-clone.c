/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mount-clone.h"

#include <fcntl.h>
#include <sys/mount.h>

#include "../util/cleanup.h"

int mount_clone(int fd, int userns_fd, uint64_t attributes)
{
	struct mount_attr change = { .attr_set = attributes, .propagation = MS_PRIVATE };
	CLEANUP_FD int tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return -errno;
	if (userns_fd >= 0) {
		change.attr_set |= MOUNT_ATTR_IDMAP;
		change.userns_fd = (uint64_t)userns_fd;
	}
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &change, sizeof change) < 0)
		return -errno;
	return take_fd(&tree);
}

int mount_clone_attach(int clone_fd, int target_fd)
{
	return move_mount(clone_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno : 0;
}
