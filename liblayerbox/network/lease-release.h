/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IPv6 leases that no longer have a holder. dnsmasq gives an address, reserved or not, to nobody but him who has its
 * lease, known by DUID and IAID; both are the guest's own choice and change with it (a new machine-id, another
 * distribution, a container made anew under the same address). So a lease is given back in the holder's name when
 * its container goes or is renamed, and, should that have failed, before a container starts.
 */
#pragma once

#include "../adapters/dhcp6-release.h"
#include "plan.h"

/* Has dnsmasq forget who has @ipv6, if anyone; nothing happens where the lease file knows no such lease. */
void lease_release_ipv6(struct lb_context *ctx, const struct network_plan *plan, const char *ipv6);

/* Finds in the text of a lease file (modified) all that is to be said for giving @ipv6 back. */
bool lease_release_parse(char *text, const char *ipv6, struct dhcp6_binding *ret_binding);
