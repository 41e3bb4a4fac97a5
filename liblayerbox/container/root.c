/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "../adapters/overlay.h"
#include "../core/store.h"
#include "../snapshot/layer.h"
#include "bind-mount.h"
#include "layout.h"

/* After kill -9 of a monitor the kernel needs a moment to let go of the old overlay. */
enum { MOUNT_TRIES = 50, MOUNT_PAUSE_MS = 100 };

void root_unmount(struct lb_context *ctx, const char *name)
{
	CLEANUP_FREE char *directory = store_path(ctx, STORE_CONTAINERS "/%s", name);
	CLEANUP_FREE char *rootfs = store_path(ctx, STORE_CONTAINERS "/%s/" LAYOUT_ROOTFS, name);

	while (rootfs && umount2(rootfs, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	while (directory && umount2(directory, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
}

/* Covers the container's directory with a tmpfs that holds the mount point alone; returns it. */
static int cover(struct lb_context *ctx, const char *directory)
{
	CLEANUP_FD int fd = -1;

	if (mount("layerbox", directory, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0711,size=64k,nr_inodes=1k") <
	    0)
		return fail_errno(ctx, errno, "cannot mount a tmpfs on %s", directory);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || mkdirat(fd, LAYOUT_ROOTFS, 0755) < 0)
		return fail_errno(ctx, errno, "cannot make the mount point in %s", directory);
	return take_fd(&fd);
}

/* What it sees of the host's files. */
static int mount_binds(struct lb_context *ctx, int place_fd, const struct record *record)
{
	CLEANUP_FD int root_fd = -1;

	if (!record->binds.count)
		return 0;
	root_fd = openat(place_fd, LAYOUT_ROOTFS, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root_fd < 0)
		return fail_errno(ctx, errno, "cannot open the mounted root");
	return binds_mount(ctx, record, root_fd);
}

int root_mount(struct lb_context *ctx, const char *name, const struct record *record)
{
	CLEANUP_FREE char *directory = store_path(ctx, STORE_CONTAINERS "/%s", name);
	CLEANUP_CHAIN_TREES struct chain_trees lowers = { 0 };
	CLEANUP_FD int layers_fd = -1;
	CLEANUP_FD int place_fd = -1;
	struct overlay_spec spec;
	char error[1024] = "";
	int r = 0;

	if (!directory)
		return fail_memory(ctx);
	root_unmount(ctx, name);
	r = chain_open_trees(ctx, &record->layers, record->base, record->generation, -1, &lowers);
	if (r < 0)
		return r;
	layers_fd = open(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (layers_fd < 0)
		return fail_errno(ctx, errno, "cannot open %s", directory);
	place_fd = cover(ctx, directory);
	if (place_fd < 0)
		return place_fd;
	spec = (struct overlay_spec){
		.lower_fds = lowers.fds,
		.lower_count = lowers.count,
		.layers_fd = layers_fd,
		.upper = LAYOUT_TOP,
		.work = LAYOUT_WORK,
		.id_start = record->id_start,
		.id_count = record->id_count,
		.place_fd = place_fd,
		.target = LAYOUT_ROOTFS,
	};
	for (int tries = 0; tries < MOUNT_TRIES; tries++) {
		struct timespec pause = { .tv_nsec = MOUNT_PAUSE_MS * 1000000 };

		r = overlay_mount(&spec, error, sizeof error);
		if (r != -EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	if (r < 0)
		r = fail(ctx, r, "cannot mount the root of container '%s': %s", name, error);
	else
		r = mount_binds(ctx, place_fd, record);
	if (r < 0)
		root_unmount(ctx, name);
	return r;
}
