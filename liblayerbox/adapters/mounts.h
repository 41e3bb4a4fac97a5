/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is mounted in the process's mount namespace, as /proc/self/mounts tells it. */
#pragma once

#include <mntent.h>

#include "../core/context.h"

/* Receives one mount, valid during the call only; what it returns is negative to end the walk. */
typedef int (*mounts_fn)(const struct mntent *mount, void *userdata);

/* Calls @fn with every mount, in the order in which they were made. -ENOENT without /proc, or what @fn returned. */
int mounts_for_each(mounts_fn fn, void *userdata);

/* Appends every mount point whose path begins with @prefix. */
int mounts_below(struct lb_context *ctx, const char *prefix, struct text_list *ret_targets);
