/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stopped.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../container/record.h"
#include "../core/store.h"
#include "../util/file.h"
#include "../util/tree.h"

#define DIRECTORY RUNSTATEDIR "/layerbox/stopped"

/* A container's directory, for as long as it is there: of any root. */
static bool path_of(int container_fd, char path[PATH_MAX])
{
	struct stat st;

	return fstat(container_fd, &st) == 0 && snprintf(path, PATH_MAX, DIRECTORY "/%llx-%llx",
							 (unsigned long long)st.st_dev,
							 (unsigned long long)st.st_ino) < PATH_MAX;
}

/* Opens it locked, and so that it is there still: -EWOULDBLOCK where somebody is at it, -ENOENT. */
static int open_locked(const char *path, int flags)
{
	CLEANUP_FD int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	struct stat locked, present;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &locked) < 0)
		return -errno;
	if (lstat(path, &present) < 0 || locked.st_ino != present.st_ino)
		return -EWOULDBLOCK;
	return take_fd(&fd);
}

int stopped_note(struct lb_context *ctx, int container_fd, const char *name, struct stopped *ret_stopped)
{
	struct stopped stopped = STOPPED_EMPTY;
	int r = tree_make_directories(AT_FDCWD, DIRECTORY, 0700);

	if (r >= 0)
		r = path_of(container_fd, stopped.path) ? open_locked(stopped.path, O_CREAT) : -EIO;
	if (r == -EWOULDBLOCK)
		return fail(ctx, -LB_ERR_BUSY, "another layerbox command stops container '%s' and starts it again",
			    name);
	if (r < 0)
		return fail_errno(ctx, r, "cannot note in " DIRECTORY " that container '%s' is stopped", name);
	stopped.fd = r;
	*ret_stopped = stopped;
	return 0;
}

void stopped_end(struct stopped *stopped)
{
	if (stopped->fd >= 0)
		unlink(stopped->path);
	close_fd(take_fd(&stopped->fd));
}

void stopped_forget(int container_fd)
{
	CLEANUP_STOPPED struct stopped stopped = STOPPED_EMPTY;

	if (path_of(container_fd, stopped.path))
		stopped.fd = open_locked(stopped.path, 0);
}

/* Does anybody say so of this one, who is not at it any more? */
static bool find(int containers_fd, const char *name, struct stopped *ret_stopped)
{
	CLEANUP_FD int fd = openat(containers_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && path_of(fd, ret_stopped->path))
		ret_stopped->fd = open_locked(ret_stopped->path, 0);
	return ret_stopped->fd >= 0;
}

static void start(struct lb_context *ctx, const char *name)
{
	int r = lb_containers_start(ctx, (const char *const[]){ name, NULL }, NULL, NULL, NULL);

	if (r < 0)
		log_message(ctx, LB_LOG_WARNING,
			    "container '%s' was stopped for a snapshot by a command that was cut off: %s", name,
			    ctx->error);
	else if (r == 0)
		log_message(ctx, LB_LOG_INFO,
			    "container '%s' was stopped for a snapshot by a command that was cut off; it runs again",
			    name);
}

/* Usually there is none, of any container. */
static bool is_due(void)
{
	CLEANUP_FD int fd = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_TEXT_LIST struct text_list names = { 0 };

	return fd >= 0 && tree_list_names(fd, &names) == 0 && names.count > 0;
}

void stopped_sweep(struct lb_context *ctx)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int containers_fd = is_due() ? record_open_all(ctx, &names) : -1;

	for (size_t i = 0; containers_fd >= 0 && i < names.count; i++) {
		CLEANUP_STOPPED struct stopped stopped = STOPPED_EMPTY;

		if (find(containers_fd, names.items[i], &stopped))
			start(ctx, names.items[i]);
	}
}
