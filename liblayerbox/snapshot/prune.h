/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which snapshots go by themselves, and when they are made by themselves. */
#pragma once

#include "../core/keep.h"
#include "snapshot.h"

/*
 * Sets ret_doomed[i] to whether snapshots[i] goes at @now: it has expired, or a schedule made it and @policy does not
 * keep it. One that a schedule made and somebody gave an expiry stays until then. @snapshots: of one container, oldest
 * first.
 */
int prune_choose(struct lb_context *ctx, const struct keep_policy *policy, struct lb_snapshot *const *snapshots,
		 size_t count, int64_t now, bool *ret_doomed);

/*
 * When a schedule's next snapshot is counted from: the time of the last one that it made, or of the container's
 * creation. One from the future, made by a clock that was ahead, does not count: it would keep all others from being
 * made.
 */
int64_t schedule_since(int64_t created, struct lb_snapshot *const *snapshots, size_t count, int64_t now);
