/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the process and the kernel must be able to do before anything is begun (libcap, uname, /proc). */
#pragma once

#include "../core/context.h"

/* -LB_ERR_NOT_ROOT unless the process may administer the system. */
int rights_require_root(struct lb_context *ctx);

/*
 * -LB_ERR_KERNEL unless containers can be mounted: overlayfs is there and, for unprivileged ones, the kernel
 * is 5.19 or newer, the first whose overlayfs accepts idmapped layers (linux commit bc70682a497c).
 */
int rights_require_kernel(struct lb_context *ctx, bool unprivileged);
