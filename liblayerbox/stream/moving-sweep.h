/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What killed moves left, put right by the next command on the host that the container was leaving. */
#pragma once

#include "../core/context.h"

/* To be called before a container is marked as leaving, under the root's lock: a kill is made up for. */
int moving_sweep_later(struct lb_context *ctx);

/* Gives a container back whose move nobody goes on with: it loses its mark, and runs again where it ran. */
int moving_give_back(struct lb_context *ctx, const char *name);

/*
 * Gives back what was not decided, and removes what lives elsewhere; what only the other host knows stays as it is.
 * Cheap where nothing was left. The caller holds no lock. Failures go to the log.
 */
void moving_sweep(struct lb_context *ctx);

/* There is nothing more to be swept, unless there is. */
void moving_swept(struct lb_context *ctx);
