/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chains made shorter where nobody needs two layers apart. */
#pragma once

#include "../core/context.h"

/*
 * Merges layers of the container's chains, and of those of its clones, that are nobody's topmost and have the same
 * layer above them in every chain, into that one. 1 where there were none. A container that somebody works on is left
 * for another time. The caller holds no lock.
 */
int layers_consolidate(struct lb_context *ctx, const char *container);
