/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deleting many veths at once. The kernel waits out readers of each deleted interface, 10 to 20 ms during which
 * nobody else can change the network; of a whole group of interfaces it waits once.
 */
#pragma once

#include "../core/context.h"

/*
 * Deletes those of the veths called @names (NULL-terminated) that there are, with their other ends, in one request.
 * Returns 0, or 1 when there were none.
 */
int link_group_delete(struct lb_context *ctx, const char *const *names);
