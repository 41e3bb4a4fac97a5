/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ROOT/id-ranges: every range of host ids that was ever handed out, a line each, `START COUNT NAME`, in the
 * order of their starts. A range is never handed out twice, so nothing that a deleted container left anywhere
 * can come to belong to another.
 */
#pragma once

#include "../core/context.h"

enum { ID_RANGE_COUNT = 65536 };

/*
 * Appends the next range, for the container that will be called @name; the caller holds the root's lock.
 * @above: the end of the highest range that a container has. -LB_ERR_EXHAUSTED behind the last of 32 bits.
 *
 * The line is not synced: as long as the container is there, its own record says which range is taken, and
 * whoever deletes it calls id_range_sync() first.
 */
int id_range_allocate(struct lb_context *ctx, const char *name, uint32_t above, uint32_t *ret_start);

/* Makes the table durable. */
int id_range_sync(struct lb_context *ctx);

/* Makes sure that root may still use the range: /etc/subuid may be another one than when it was handed out. */
int id_range_ensure(struct lb_context *ctx, uint32_t start, uint32_t count);
