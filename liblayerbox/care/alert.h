/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling the operator what cannot wait: alert.command of layerbox.conf(5) is run, once for each change. */
#pragma once

#include "../core/context.h"

/*
 * Runs it with LAYERBOX_EVENT, LAYERBOX_CONTAINER and LAYERBOX_MESSAGE in its environment, for a minute at most; nothing
 * where none is set. That it failed is a warning to the log: what is told goes on whether it is heard or not.
 */
void alert(struct lb_context *ctx, const char *event, const char *container, const char *message);
