/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The empty cgroups that killed monitors leave: LXC would put a suffix on the next ones of the same name. */
#pragma once

#include "../core/context.h"

/* Removes the empty cgroups of containers that do not run; how many, or negative. */
int sweep_cgroups(struct lb_context *ctx);

/* The same, where one of @names has such groups: a look that does not take longer the more containers run. */
int sweep_cgroups_of(struct lb_context *ctx, const char *const *names);
