/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of a top layer that hold the container's name or address, when these change. */
#pragma once

#include "render.h"

/*
 * Renders every file of templates/rootfs (and rootfs-static) that differs between @old and @new anew, in the container's directory, where
 * it still is what was rendered for @old: what the customer has made of it stays theirs, and the log says so.
 */
int rerender_rootfs(struct lb_context *ctx, int directory_fd, const struct rootfs_values *old,
		    const struct rootfs_values *new, bool is_static);
