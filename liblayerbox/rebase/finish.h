/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running the container's own programs over a switched top layer, so that caches, triggers and links are right before
 * it serves again: in an overlay with a scratch layer on top, whose content is then added to the transaction.
 */
#pragma once

#include "plan.h"
#include "transaction.h"

int finish_run(struct lb_context *ctx, int container_fd, const struct lb_rebase *rebase, const struct record *record,
	       struct transaction *transaction);
