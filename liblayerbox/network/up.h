/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making the network and taking it away. What lb_network_up() does has these two ways. */
#pragma once

#include "plan.h"

/* lb_network_up() of one network for a caller that holds the root's lock. */
int network_up_locked(struct lb_context *ctx, const char *name);

/* The same for lb_network_down(). */
int network_down_locked(struct lb_context *ctx, const char *name);

/* Nothing where no dnsmasq runs on the bridge, or one of this root; else a failure. */
int network_check_dnsmasq(struct lb_context *ctx, const struct network_plan *plan);

/* Has dnsmasq run as the plan says, with another process only where it must; 1 where it does already. */
int network_up_dnsmasq(struct lb_context *ctx, const struct network_plan *plan, bool bridge_is_new);

/* On a bridge that lxc-net runs: only its dnsmasq is led to the reservations, and started where it died. */
int network_up_lxc_net(struct lb_context *ctx, struct network_plan *plan);
