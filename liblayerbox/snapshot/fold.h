/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container's layers and its top layer made one, for what understands only one: a rebase. */
#pragma once

#include "../container/record.h"

/*
 * Of a stopped container that is locked: its top layer becomes one of all of them, in one step; @record follows. Files
 * of layers that nobody else names or reads are not copied. 1 where it has no layers.
 */
int layers_fold(struct lb_context *ctx, int container_fd, const char *name, struct record *record);

/*
 * The same to look at alone, for a container that may run: an open directory that is gone when *ret_draft ends.
 */
struct layer_draft;
int layers_fold_to_look(struct lb_context *ctx, int container_fd, const char *name, const struct record *record,
			struct layer_draft *ret_draft);
