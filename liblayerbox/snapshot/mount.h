/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which snapshots are mounted. They are known by what the kernel's mount table calls them: layerbox:NAME/LABEL. */
#pragma once

#include "snapshot.h"

/*
 * Is a snapshot of the container mounted anywhere in the caller's mount namespace? @label NULL: any. What a mounted
 * one consists of must not go, nor be merged with anything; where the mount table cannot be read, it counts as
 * mounted.
 */
bool snapshot_is_mounted(struct lb_context *ctx, const char *container, const char *label);

/* -LB_ERR_BUSY with what to do, where it is. */
int snapshot_require_unmounted(struct lb_context *ctx, const char *container, const char *label);
