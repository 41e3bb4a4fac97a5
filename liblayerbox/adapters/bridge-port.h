/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ports of a bridge: which there are, and whether they are isolated from one another. */
#pragma once

#include "../core/context.h"

struct bridge_port {
	char name[16];
	int index;
	bool isolated;
};

/*
 * The ports of the bridge @name of that index; free(3) the array.
 * One dump that the kernel filters by the bridge: a tenth of the price of libnl's cache.
 */
int bridge_port_list(struct lb_context *ctx, const char *name, int index, struct bridge_port **ret_ports,
		     size_t *ret_count);

/* An isolated port exchanges frames with the bridge itself and with ports that are not isolated only. */
int bridge_port_set_isolated(struct lb_context *ctx, const char *name, bool isolated);

/* Is it a port, and isolated? 1 or 0. */
int bridge_port_is_isolated(struct lb_context *ctx, const char *name);
