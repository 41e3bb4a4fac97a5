/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rebasing one container, and what a start has to do with it. */
#pragma once

#include "plan.h"

/* What became of it, beside 0, 1 and failures: it is done at the container's next start. */
enum { REBASE_PENDING = 2 };

/* One container of lb_rebase(); *ret_rebase is its plan, or NULL. Takes the container's lock. */
int rebase_one(struct lb_context *ctx, const char *name, const struct lb_rebase_options *options,
	       struct lb_rebase **ret_rebase);

/*
 * Rebases a container that is locked and stopped, as @record says and will say. 0, 1 where it stands there already, or
 * a failure: then it stands where it stood. *ret_rebase is its plan, or NULL.
 */
int rebase_locked(struct lb_context *ctx, const char *name, int container_fd, struct record *record,
		  const struct lb_rebase_options *options, enum plan_fetch fetch, bool is_refresh,
		  struct lb_rebase **ret_rebase);

/*
 * For who holds the lock of a stopped container and is about to start it: undoes what was interrupted, and does what
 * is pending, or what refresh.base asks for. A rebase that cannot be done is no failure: the container starts as it
 * was, and the log says why.
 */
int rebase_before_start(struct lb_context *ctx, const char *name, int container_fd, struct record *record);

/* Will rebase_before_start() have something to do that takes its time? A look at numbers. */
bool rebase_is_due(struct lb_context *ctx, const struct record *record);

/* Has what became of a rebase known as an event; @rebase may be NULL. */
void rebase_tell(struct lb_context *ctx, const char *name, int result, const struct lb_rebase *rebase);
