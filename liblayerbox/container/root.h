/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container's root, put together: base generation below, its layers, top layer above, and what of the host's files
 * is mounted into it, in a mount namespace of the caller's own. There, and only there, the container's directory is
 * covered by a small tmpfs that holds nothing but the mount point: its unprivileged init must walk through it, and on
 * disk it is 0700, because the layers in it hold real setuid files.
 *
 * For single-threaded helper processes only.
 */
#pragma once

#include "record.h"

/* Mounts it at ROOT/containers/NAME/rootfs. What an earlier start left mounted there goes first. */
int root_mount(struct lb_context *ctx, const char *name, const struct record *record);

/* Unmounts all of it, at once and whatever still uses it. */
void root_unmount(struct lb_context *ctx, const char *name);
