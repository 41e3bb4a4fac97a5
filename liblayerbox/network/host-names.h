/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The containers' names on the host itself, as `host_names` of layerbox.conf(5) wants them: made from the
 * containers' records, and can always be made anew from them.
 */
#pragma once

#include "../core/context.h"

/*
 * The block in /etc/hosts: exactly what the records say, or none where the setting is another. 1 where nothing was to
 * do. The caller may hold any other lock; what it has changed of records is on disk already.
 */
int host_names_sync(struct lb_context *ctx);

/* Is the block so? 1 or 0. */
int host_names_check(struct lb_context *ctx);

/*
 * host_names_sync() behind a command that made, deleted or renamed a container, which has succeeded whatever becomes of
 * the host's names: a failure is a warning. Costs nothing unless the setting is `hosts`.
 */
void host_names_follow(struct lb_context *ctx);

/* What systemd-resolved is to know of one bridge that is up; nothing unless the setting is `resolved`. 1 as above. */
int host_names_sync_bridge(struct lb_context *ctx, const char *bridge, const char *gateway);
int host_names_check_bridge(struct lb_context *ctx, const char *bridge, const char *gateway);
