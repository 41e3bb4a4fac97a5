/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log-directory.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

#include "store.h"

#define READERS "adm"

enum { OPEN_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

/* From the file itself: the name service could ask a server that a container runs. -1 where there is no such group. */
static gid_t readers(void)
{
	CLEANUP_FILE FILE *file = fopen("/etc/group", "re");
	struct group entry, *found;
	char text[4096];

	while (file && fgetgrent_r(file, &entry, text, sizeof text, &found) == 0)
		if (text_equal(found->gr_name, READERS))
			return found->gr_gid;
	return (gid_t)-1;
}

static int make(int root_fd)
{
	if (mkdirat(root_fd, STORE_LOGS, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (fchownat(root_fd, STORE_LOGS, (uid_t)-1, readers(), AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(root_fd, STORE_LOGS, S_ISGID | 0750, 0) < 0)
		return -errno;
	return 0;
}

int log_directory_open(struct lb_context *ctx)
{
	/* O_PATH: the group that reads the logs can pass through the root, not read it. */
	CLEANUP_FD int root_fd = open(ctx->config.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = root_fd < 0 ? -1 : openat(root_fd, STORE_LOGS, OPEN_FLAGS), r;

	if (fd >= 0 || errno != ENOENT || root_fd < 0)
		return fd < 0 ? -errno : fd;
	/* Only in a root that is one. */
	if (faccessat(root_fd, STORE_CONTAINERS, F_OK, 0) < 0)
		return -ENOENT;
	r = make(root_fd);
	if (r < 0)
		return r;
	fd = openat(root_fd, STORE_LOGS, OPEN_FLAGS);
	return fd < 0 ? -errno : fd;
}
