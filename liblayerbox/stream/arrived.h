/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ROOT/arrived: the token of every move that ended here, a line each, `TOKEN NAME`. A container that came may be
 * renamed, moved on or deleted; who asks late whether it had come is told the truth nevertheless, and does not start
 * it again.
 */
#pragma once

#include "../core/context.h"

/* Has that move ended here? 1, 0, or a failure. */
int arrived_has(struct lb_context *ctx, const char *token);

/* Writes it down, durably. The caller has the lock of the container, which came as @name. */
int arrived_add(struct lb_context *ctx, const char *token, const char *name);
