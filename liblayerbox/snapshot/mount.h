/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../core/context.h"

/* Is the snapshot mounted by lb_snapshot_mount(), in this mount namespace? */
bool snapshot_is_mounted(struct lb_context *ctx, const char *container, const char *label);
