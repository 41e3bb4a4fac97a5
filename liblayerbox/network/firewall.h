/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layerbox's own nftables table, rendered from templates/network.nft; no other table is read or changed. */
#pragma once

#include "plan.h"

#define FIREWALL_TABLE "layerbox"

bool firewall_is_up(void);

/* Brings the table in, or puts a new one in its place where it would differ. 0, or 1 when it was right. */
int firewall_up(struct lb_context *ctx, const struct network_plan *plan);

/* 0, or 1 when there was none. */
int firewall_down(struct lb_context *ctx, const struct network_plan *plan);
