/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "moving-sweep.h"

#include <fcntl.h>

#include "../container/container.h"
#include "../container/next.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "moving.h"

#define DUE STORE_CONTAINERS "/.moving"

int moving_sweep_later(struct lb_context *ctx)
{
	int r = store_open(ctx);
	CLEANUP_FD int fd = -1;

	if (r < 0)
		return r;
	fd = openat(ctx->root_fd, DUE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? fail_errno(ctx, errno, "cannot write %s/" DUE, ctx->config.root) : 0;
}

static int start(struct lb_context *ctx, const char *name)
{
	return lb_containers_start(ctx, (const char *const[]){ name, NULL }, NULL, NULL, NULL);
}

/* Its stage, where nobody is at it; else MOVING_NONE. The mark and its lock come about under the container's lock. */
static enum moving_stage look(struct lb_context *ctx, int fd, const char *name, struct moving *moving)
{
	CLEANUP_FD int hold_fd = -1;

	if (moving_read(ctx, fd, name, moving) < 0 || !moving->stage)
		return MOVING_NONE;
	hold_fd = moving_hold(fd);
	return hold_fd < 0 ? MOVING_NONE : moving->stage;
}

int moving_give_back(struct lb_context *ctx, const char *name)
{
	CLEANUP_FD int fd = container_lock(ctx, name);
	struct moving moving = { 0 };
	int r = fd < 0 ? fd : 0;

	if (r < 0 || look(ctx, fd, name, &moving) != MOVING_SENDING)
		return r < 0 ? r : 1;
	if (!moving.ran)
		return moving_remove(ctx, fd, name);
	close_fd(take_fd(&fd));
	/* Which takes the mark away: it is not lost before the container is about to run. */
	r = start(ctx, name);
	if (r != 1)
		return r;
	/* It ran still. */
	fd = container_lock(ctx, name);
	return fd < 0 ? fd : moving_remove(ctx, fd, name);
}

/* What is still here of one that lives elsewhere; 1 where there is nothing any more. */
static int remove_gone(struct lb_context *ctx, const char *name, const struct moving *seen)
{
	CLEANUP_FD int fd = container_lock(ctx, name);
	struct moving moving = *seen;
	int r = fd < 0 ? fd : moving_advance(ctx, fd, name, MOVING_LEAVE, &moving);

	if (r < 0)
		return r == -LB_ERR_NO_CONTAINER ? 1 : r;
	return container_delete_locked(ctx, name, take_fd(&fd));
}

/* A directory for a mark that was never written. */
static void forget_empty(struct lb_context *ctx, const char *name)
{
	CLEANUP_FD int fd = container_lock(ctx, name);
	struct moving moving;

	if (fd >= 0 && moving_read(ctx, fd, name, &moving) == 0 && !moving.stage)
		moving_remove(ctx, fd, name);
}

/* One that nobody is at; without its lock, so what is found is looked at once more behind that. */
static void sweep_one(struct lb_context *ctx, int containers_fd, const char *name)
{
	CLEANUP_FD int fd = openat(containers_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct moving moving = { 0 };
	enum moving_stage stage = fd < 0 ? MOVING_NONE : look(ctx, fd, name, &moving);
	int r = 0;

	if (fd >= 0 && !moving.stage && faccessat(fd, MOVING_DIRECTORY, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		forget_empty(ctx, name);
	if (stage == MOVING_SENDING)
		r = moving_give_back(ctx, name);
	else if (stage == MOVING_GONE)
		r = remove_gone(ctx, name, &moving);
	if (r < 0)
		log_message(ctx, LB_LOG_WARNING, "the move of container '%s', which was cut off: %s", name, ctx->error);
	else if (stage == MOVING_SENDING)
		log_message(ctx, LB_LOG_INFO, "the move of container '%s' was cut off; it is as it was", name);
	else if (stage == MOVING_GONE && r == 0)
		log_message(ctx, LB_LOG_INFO, "removed what was left here of container '%s', which was moved to %s",
			    name, moving.target);
}

static bool is_due(struct lb_context *ctx)
{
	return store_open(ctx) == 0 && faccessat(ctx->root_fd, DUE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void moving_sweep(struct lb_context *ctx)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int containers_fd = is_due(ctx) ? record_open_all(ctx, &names) : -1;

	if (containers_fd < 0)
		return;
	for (size_t i = 0; i < names.count; i++)
		sweep_one(ctx, containers_fd, names.items[i]);
	moving_swept(ctx);
}

/* Marks are made under the root's lock, behind moving_sweep_later(). */
void moving_swept(struct lb_context *ctx)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int lock_fd = lock_root(ctx);
	CLEANUP_FD int containers_fd = lock_fd < 0 ? -1 : record_open_all(ctx, &names);

	if (containers_fd < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP_FD int fd =
			openat(containers_fd, names.items[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		struct moving moving;

		if (fd >= 0 && (moving_read(ctx, fd, names.items[i], &moving) < 0 || moving.stage == MOVING_SENDING ||
				moving.stage == MOVING_DECIDED || moving.stage == MOVING_GONE))
			return;
	}
	unlinkat(ctx->root_fd, DUE, 0);
}
