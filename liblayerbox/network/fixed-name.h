/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of containers whose address is fixed: they never ask dnsmasq for one, so it learns their names from files as
 * /etc/hosts is one, ROOT/network/BRIDGE/names.d/NAME, beside their reservation and made from the same record.
 */
#pragma once

#include "plan.h"

/* Makes the file what it should be, or takes it away where the container asks DHCP. 1 where nothing was to do. */
int fixed_name_write(struct lb_context *ctx, const struct network_plan *plan, const char *name,
		     const struct network_identity *identity);

bool fixed_name_is(struct lb_context *ctx, const struct network_plan *plan, const char *name,
		   const struct network_identity *identity);

/* dnsmasq forgets it by itself (inotify). */
int fixed_name_remove(struct lb_context *ctx, const struct network_plan *plan, const char *name);
