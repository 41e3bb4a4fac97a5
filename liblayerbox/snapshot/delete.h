/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Deleting snapshots in two steps, for who deletes many. */
#pragma once

#include "../core/context.h"

/* Deletes a snapshot, which is gone then; its layers stay until layers_tidy(). The caller holds no lock. */
int snapshot_forget(struct lb_context *ctx, const char *container, const char *label);

/* Merges what needs not be apart any more, and removes what nobody needs. What fails is made up for by a later call. */
void layers_tidy(struct lb_context *ctx, const char *container);
