/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Deleting snapshots in two steps, for who deletes many. */
#pragma once

#include "../core/context.h"

struct snapshot_record;

/*
 * Deletes a snapshot, which is gone then; its layers stay until layers_tidy(). The caller holds no lock. @as_it_was:
 * what the caller has decided by (may be NULL); 1 where it is another one by now, or is to be kept for another time.
 */
int snapshot_forget(struct lb_context *ctx, const char *container, const char *label,
		    const struct snapshot_record *as_it_was);

/* Merges what needs not be apart any more, and removes what nobody needs. What fails is made up for by a later call. */
void layers_tidy(struct lb_context *ctx, const char *container);
