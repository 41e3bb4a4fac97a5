/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "../util/tree.h"
#include "store.h"

enum { LOCK_PATIENCE_MS = 60000 };

/* flock(2) with a limit: tries again after 1, 2, 4 ... 32 ms. -EWOULDBLOCK when patience is over. */
static int flock_for(int fd, long patience_ms)
{
	long wait_ms = 1;

	for (long waited = 0;; waited += wait_ms) {
		struct timespec pause;

		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (waited >= patience_ms)
			return -EWOULDBLOCK;
		wait_ms = wait_ms < 32 ? wait_ms * 2 : 32;
		pause = (struct timespec){ .tv_nsec = wait_ms * 1000000 };
		nanosleep(&pause, NULL);
	}
}

int lock_patiently(int fd)
{
	return flock_for(fd, LOCK_PATIENCE_MS);
}

int lock_root(struct lb_context *ctx)
{
	CLEANUP_FD int fd = -1;
	int r = store_open(ctx);

	if (r < 0)
		return r;
	fd = open(ctx->config.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : lock_patiently(fd);
	if (r == -EWOULDBLOCK)
		return fail(ctx, -LB_ERR_BUSY,
			    "another layerbox command has held the lock of %s for a minute; see who with `fuser -v %s`",
			    ctx->config.root, ctx->config.root);
	if (r < 0)
		return fail_errno(ctx, r, "cannot lock the root %s", ctx->config.root);
	return take_fd(&fd);
}

/* By a file of its own: only root can open that one, so nobody else can bar the way. */
int lock_host_file(struct lb_context *ctx, const char *file)
{
	CLEANUP_FREE char *path = text_format(RUNSTATEDIR "/layerbox/%s.lock", strrchr(file, '/') + 1);
	CLEANUP_FD int fd = -1;
	int r;

	if (!path)
		return fail_memory(ctx);
	r = tree_make_directories(AT_FDCWD, RUNSTATEDIR "/layerbox", 0755);
	if (r < 0)
		return fail_errno(ctx, r, "cannot make " RUNSTATEDIR "/layerbox");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : lock_patiently(fd);
	if (r == -EWOULDBLOCK)
		return fail(ctx, -LB_ERR_BUSY,
			    "another layerbox command has worked on %s for a minute; see who with `fuser -v %s`", file,
			    path);
	return r < 0 ? fail_errno(ctx, r, "cannot lock %s", path) : take_fd(&fd);
}

static int container_busy(struct lb_context *ctx, const char *name, const char *path, long patience_ms)
{
	return fail(ctx, -LB_ERR_BUSY,
		    "another layerbox command %s container '%s'%s; try again later, or see who holds it with `fuser -v "
		    "%s`",
		    patience_ms ? "has worked on" : "works on", name, patience_ms ? " for a minute" : "", path);
}

static int lock_container_for(struct lb_context *ctx, const char *name, long patience_ms)
{
	CLEANUP_FREE char *path = store_path(ctx, STORE_CONTAINERS "/%s", name);

	if (!path)
		return fail_memory(ctx);
	for (;;) {
		CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		struct stat locked, present;
		int r;

		if (fd < 0 && errno == ENOENT)
			return fail_no_container(ctx, name);
		r = fd < 0 ? -errno : flock_for(fd, patience_ms);
		if (r == -EWOULDBLOCK)
			return container_busy(ctx, name, path, patience_ms);
		if (r < 0)
			return fail_errno(ctx, r, "cannot lock container '%s'", name);
		/* The name may have been given away between open and lock: is it still this directory? */
		if (fstat(fd, &locked) == 0 && stat(path, &present) == 0 && locked.st_ino == present.st_ino &&
		    locked.st_dev == present.st_dev)
			return take_fd(&fd);
	}
}

int lock_container(struct lb_context *ctx, const char *name)
{
	return lock_container_for(ctx, name, LOCK_PATIENCE_MS);
}

int lock_container_at_once(struct lb_context *ctx, const char *name)
{
	return lock_container_for(ctx, name, 0);
}

int lock_root_and_container(struct lb_context *ctx, const char *name, int *ret_root_lock)
{
	CLEANUP_FD int root_lock = lock_root(ctx);
	int fd = root_lock < 0 ? root_lock : lock_container(ctx, name);

	if (fd >= 0)
		*ret_root_lock = take_fd(&root_lock);
	return fd;
}

int lock_firewall(struct lb_context *ctx)
{
	CLEANUP_FD int fd = store_open_directory(ctx, STORE_NETWORK);
	int r = fd < 0 ? fd : lock_patiently(fd);

	if (fd < 0)
		return fd;
	if (r == -EWOULDBLOCK)
		return fail(ctx, -LB_ERR_BUSY,
			    "another layerbox command has worked on the firewall for a minute; see who with `fuser -v "
			    "%s/" STORE_NETWORK "`",
			    ctx->config.root);
	return r < 0 ? fail_errno(ctx, r, "cannot lock the firewall") : take_fd(&fd);
}
