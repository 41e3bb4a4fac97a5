/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mount.h"

#include <fcntl.h>
#include <sys/mount.h>

#include "../adapters/mounts.h"
#include "../adapters/overlay-view.h"
#include "../adapters/rights.h"
#include "../container/next.h"
#include "sight.h"

#define SOURCE_PREFIX "layerbox:"

enum { SOURCE_SIZE = sizeof SOURCE_PREFIX + NAME_LENGTH_MAX + LABEL_SIZE };

/* Of all snapshots, where there is no label. */
static void make_source(const char *container, const char *label, char ret_source[SOURCE_SIZE])
{
	snprintf(ret_source, SOURCE_SIZE, SOURCE_PREFIX "%s/%s", container, label ? label : "");
}

struct query {
	char source[SOURCE_SIZE];
	bool as_prefix, found;
};

static int look(const struct mntent *mount, void *userdata)
{
	struct query *query = userdata;

	if (!text_equal(mount->mnt_type, "overlay"))
		return 0;
	if (query->as_prefix)
		query->found |= !!text_after(mount->mnt_fsname, query->source);
	else
		query->found |= text_equal(mount->mnt_fsname, query->source);
	return 0;
}

bool snapshot_is_mounted(struct lb_context *ctx, const char *container, const char *label)
{
	struct query query = { .as_prefix = !label };
	int r;

	make_source(container, label, query.source);
	r = mounts_for_each(look, &query);
	if (r < 0)
		log_message(ctx, LB_LOG_WARNING, "cannot read /proc/self/mounts: %s", strerrordesc_np(-r));
	return r < 0 || query.found;
}

int snapshot_require_unmounted(struct lb_context *ctx, const char *container, const char *label)
{
	if (!snapshot_is_mounted(ctx, container, label))
		return 0;
	if (!label)
		return fail(ctx, -LB_ERR_BUSY, "a snapshot of container '%s' is mounted; unmount it first", container);
	return fail(ctx, -LB_ERR_BUSY, "snapshot '%s' of container '%s' is mounted; unmount it first", label,
		    container);
}

static int mount_at(struct lb_context *ctx, const struct sight *sight, const char *source, int place_fd,
		    const char *place)
{
	char error[1024];
	CLEANUP_FD int view_fd = overlay_view_open(sight->trees.fds, sight->trees.count, source, error, sizeof error);

	if (view_fd < 0)
		return fail(ctx, view_fd, "cannot mount %s: %s", sight->what, error);
	if (move_mount(view_fd, "", place_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return fail_errno(ctx, errno, "cannot mount %s on %s", sight->what, place);
	return 0;
}

int lb_snapshot_mount(struct lb_context *ctx, const char *container, const char *label, const char *directory)
{
	CLEANUP_SIGHT struct sight sight = SIGHT_EMPTY;
	CLEANUP_FD int place_fd = -1;
	CLEANUP_FD int lock_fd = -1;
	char source[SOURCE_SIZE];
	int r = rights_require_root(ctx);

	if (r == 0)
		r = name_check(ctx, "container", container);
	if (r == 0)
		r = label_check(ctx, label);
	if (r < 0)
		return r;
	place_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place_fd < 0)
		return fail_errno(ctx, errno, "cannot mount a snapshot on %s", directory);
	/* Held until it is mounted: from then on whoever deletes snapshots sees it. */
	lock_fd = container_lock(ctx, container);
	if (lock_fd < 0)
		return lock_fd;
	r = sight_open_locked(ctx, lock_fd, container, label, &sight);
	if (r < 0)
		return r;
	make_source(container, label, source);
	return mount_at(ctx, &sight, source, place_fd, directory);
}
