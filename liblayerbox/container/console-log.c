/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "console-log.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include "../core/log-directory.h"
#include "../core/name.h"
#include "../core/store.h"
#include "../util/tree.h"

/* The group comes from ROOT/logs, by its setgid bit. */
enum {
	DIRECTORY_MODE = S_ISGID | 0750,
	FILE_MODE = 0640,
	DIRECTORY_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
};

static int open_directory(int logs_fd, const char *name)
{
	int fd = openat(logs_fd, name, DIRECTORY_FLAGS);

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	if ((mkdirat(logs_fd, name, 0700) < 0 && errno != EEXIST) || fchmodat(logs_fd, name, DIRECTORY_MODE, 0) < 0)
		return -errno;
	fd = openat(logs_fd, name, DIRECTORY_FLAGS);
	return fd < 0 ? -errno : fd;
}

static int prepare(struct lb_context *ctx, const char *name)
{
	CLEANUP_FD int logs_fd = log_directory_open(ctx);
	CLEANUP_FD int directory_fd = logs_fd < 0 ? logs_fd : open_directory(logs_fd, name);
	CLEANUP_FD int fd = -1;

	if (directory_fd < 0)
		return directory_fd;
	fd = openat(directory_fd, CONSOLE_LOG, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, FILE_MODE);
	return fd < 0 || fchmod(fd, FILE_MODE) < 0 ? -errno : 0;
}

int console_log_prepare(struct lb_context *ctx, const char *name)
{
	int r = prepare(ctx, name);

	return r < 0 ? fail_errno(ctx, r, "cannot make the log of container '%s', %s/" STORE_LOGS "/%s/" CONSOLE_LOG, name,
				  ctx->config.root, name)
		     : 0;
}

void console_log_rename(struct lb_context *ctx, const char *name, const char *new_name)
{
	CLEANUP_FD int logs_fd = log_directory_open(ctx);

	if (logs_fd >= 0)
		renameat2(logs_fd, name, logs_fd, new_name, RENAME_NOREPLACE);
}

void console_log_remove(struct lb_context *ctx, const char *name)
{
	CLEANUP_FD int logs_fd = log_directory_open(ctx);

	if (logs_fd >= 0)
		tree_remove(logs_fd, name);
}

/* 0 where it was mended. */
static int mend(int logs_fd, const char *name, const char *file)
{
	char path[NAME_LENGTH_MAX + sizeof CONSOLE_LOG_BEFORE + 1];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", name, file);
	if (fstatat(logs_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 0777) != 0600)
		return 1;
	return fchmodat(logs_fd, path, FILE_MODE, 0);
}

void console_logs_mend(struct lb_context *ctx)
{
	CLEANUP_FD int logs_fd = log_directory_open(ctx);
	CLEANUP_DIR DIR *dir = logs_fd < 0 ? NULL : take_dir(openat(logs_fd, ".", DIRECTORY_FLAGS));
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		/* The one before was the present one before, and is as it was then. */
		if (entry->d_type == DT_DIR && name_is_valid(entry->d_name) &&
		    mend(logs_fd, entry->d_name, CONSOLE_LOG) == 0)
			mend(logs_fd, entry->d_name, CONSOLE_LOG_BEFORE);
}
