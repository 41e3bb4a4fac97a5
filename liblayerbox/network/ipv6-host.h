/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network's IPv6 on the host: the kernel's settings and the bridge's address. dnsmasq and nftables are others'. */
#pragma once

#include "../core/context.h"
#include "ipv6.h"

/*
 * Gives the bridge PREFIX::1 and has the kernel forward IPv6. A host that learns its own way to the internet from
 * router advertisements goes on doing so. 1 where all was so already; -LB_ERR_NETWORK where the kernel has no IPv6.
 */
int network_ipv6_up(struct lb_context *ctx, const char *bridge, int index, const struct ipv6_prefix *prefix);

/* Takes the bridge's address of @prefix away, for a network that has another now; 1 where it had none. */
int network_ipv6_down(struct lb_context *ctx, const char *bridge, int index, const struct ipv6_prefix *prefix);

/* Has the bridge that address, and does the kernel forward? */
bool network_ipv6_is_up(const char *bridge, const struct ipv6_prefix *prefix);
