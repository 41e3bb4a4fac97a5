/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dpkg-lock.h"

#include <fcntl.h>
#include <stdio.h>

#include "../util/cleanup.h"
#include "../util/tree.h"

/* apt holds the first for all of its work, dpkg the second while it writes; fcntl(2) locks both. */
static const char *const locks[] = { "var/lib/dpkg/lock-frontend", "var/lib/dpkg/lock" };

int dpkg_is_locked(pid_t pid)
{
	char path[64];
	CLEANUP_FD int root_fd = -1;

	snprintf(path, sizeof path, "/proc/%d/root", pid);
	root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -errno;
	for (size_t i = 0; i < sizeof locks / sizeof *locks; i++) {
		CLEANUP_FD int fd = tree_open_in_root(root_fd, locks[i], O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

		if (fd < 0)
			continue;
		if (fcntl(fd, F_GETLK, &lock) < 0)
			return -errno;
		if (lock.l_type != F_UNLCK)
			return 1;
	}
	return 0;
}
