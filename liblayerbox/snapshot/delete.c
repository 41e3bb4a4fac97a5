/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots deleted, renamed, and given another time to expire. */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../container/next.h"
#include "../events/event.h"
#include "consolidate.h"
#include "delete.h"
#include "layer.h"
#include "mount.h"
#include "snapshot.h"

/* Locks the container and reads the snapshot; the container's descriptor. */
static int lock_and_read(struct lb_context *ctx, const char *name, const char *label,
			 struct snapshot_record *ret_record)
{
	CLEANUP_FD int fd = container_enter(ctx, name);
	int r = fd < 0 ? fd : snapshot_read(ctx, fd, name, label, ret_record);

	return r < 0 ? r : take_fd(&fd);
}

static int remove_file(struct lb_context *ctx, int container_fd, const char *name, const char *label)
{
	CLEANUP_FD int fd = openat(container_fd, LAYOUT_SNAPSHOTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || unlinkat(fd, label, 0) < 0 || fsync(fd) < 0)
		return fail_errno(ctx, errno, "cannot delete snapshot '%s' of container '%s'", label, name);
	return 0;
}

static int forget(struct lb_context *ctx, const char *name, const char *label)
{
	struct snapshot_record record;
	CLEANUP_FD int fd = lock_and_read(ctx, name, label, &record);
	int r;

	if (fd < 0)
		return fd;
	snapshot_record_free(&record);
	if (snapshot_is_mounted(ctx, name, label))
		return fail(ctx, -LB_ERR_BUSY, "snapshot '%s' of container '%s' is mounted; unmount it first", label,
			    name);
	r = layers_sweep_later(ctx);
	return r < 0 ? r : remove_file(ctx, fd, name, label);
}

int snapshot_forget(struct lb_context *ctx, const char *name, const char *label)
{
	return event_of(ctx, "snapshot-delete", name, forget(ctx, name, label), label);
}

void layers_tidy(struct lb_context *ctx, const char *name)
{
	if (layers_consolidate(ctx, name) < 0 || layers_sweep(ctx) < 0)
		log_message(ctx, LB_LOG_WARNING,
			    "the space of snapshots of container '%s' that are deleted is not free yet: %s", name,
			    ctx->error);
}

int lb_snapshot_delete(struct lb_context *ctx, const char *name, const char *label)
{
	int r = snapshot_forget(ctx, name, label);

	if (r == 0)
		layers_tidy(ctx, name);
	return r;
}

int lb_snapshot_rename(struct lb_context *ctx, const char *name, const char *label, const char *new_label)
{
	struct snapshot_record record;
	CLEANUP_FD int fd = -1;
	CLEANUP_FD int snapshots_fd = -1;
	int r = label_check(ctx, new_label);

	if (r < 0)
		return r;
	fd = lock_and_read(ctx, name, label, &record);
	if (fd < 0)
		return fd;
	snapshot_record_free(&record);
	if (text_equal(label, new_label))
		return 1;
	/* Mounted, it is known by its name. */
	r = snapshot_require_unmounted(ctx, name, label);
	if (r < 0)
		return r;
	snapshots_fd = openat(fd, LAYOUT_SNAPSHOTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (snapshots_fd >= 0 && renameat2(snapshots_fd, label, snapshots_fd, new_label, RENAME_NOREPLACE) == 0 &&
	    fsync(snapshots_fd) == 0)
		return 0;
	if (errno == EEXIST)
		return fail(ctx, -LB_ERR_EXISTS, "container '%s' has a snapshot '%s' already", name, new_label);
	return fail_errno(ctx, errno, "cannot rename snapshot '%s' of container '%s'", label, name);
}

int lb_snapshot_set_expires(struct lb_context *ctx, const char *name, const char *label, int64_t expires)
{
	struct snapshot_record record;
	CLEANUP_FD int fd = -1;
	int r;

	if (expires < 0)
		return fail(ctx, -LB_ERR_BAD_VALUE, "a snapshot cannot expire before 1970");
	fd = lock_and_read(ctx, name, label, &record);
	if (fd < 0)
		return fd;
	r = record.expires == expires;
	record.expires = expires;
	if (r == 0)
		r = snapshot_write(ctx, fd, name, label, &record, true);
	snapshot_record_free(&record);
	return r;
}
