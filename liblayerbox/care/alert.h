/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Telling the operator what cannot wait, once for each change: alert.command is run and alert.mail gets mail, as
 * layerbox.conf(5) says, or the container's own settings of these names instead.
 */
#pragma once

#include "../core/context.h"

/*
 * Tells that @event happened to @container, or to the host where that is "". The program has LAYERBOX_EVENT,
 * LAYERBOX_CONTAINER and LAYERBOX_MESSAGE in its environment; it and sendmail(8) have a minute each. That one failed is
 * a warning to the log: what is told goes on whether it is heard or not. Leaves ctx->error alone.
 */
void alert(struct lb_context *ctx, const char *event, const char *container, const char *message);
