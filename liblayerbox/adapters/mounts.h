/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is mounted in the process's mount namespace, as libmount reads it. */
#pragma once

#include "../core/context.h"

/* Appends every mount point whose path begins with @prefix. */
int mounts_below(struct lb_context *ctx, const char *prefix, struct text_list *ret_targets);
