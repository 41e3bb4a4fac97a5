/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Having dnsmasq forget a lease, and making sure that it did. */
#pragma once

#include "../adapters/dnsmasq.h"
#include "plan.h"

/*
 * Gives the lease of @mac on @ipv4 back and waits until it is gone from dnsmasq's file; 1 where there was none.
 * -LB_ERR_NETWORK where no dnsmasq runs, -LB_ERR_TIMEOUT where it holds on to the lease.
 */
int lease_drop(struct lb_context *ctx, const struct network_plan *plan, const char *mac, const char *ipv4);

/* Is there such a lease in the text of a lease file, and with which client id ("*": none)? */
bool lease_find_client_id(const char *text, const char *mac, const char *ipv4, char ret_id[CLIENT_ID_TEXT_SIZE]);
