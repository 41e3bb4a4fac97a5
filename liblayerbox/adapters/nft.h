/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nftables: changes by the nft program, each one transaction; what is there is asked from the kernel. */
#pragma once

#include "../core/context.h"

/* Is nft installed? -LB_ERR_NO_PROGRAM with what to install. */
int nft_require(struct lb_context *ctx);

/* Applies @rules, all of them or none. */
int nft_apply(struct lb_context *ctx, const char *rules);

/* Is there a table of that name in the family `inet`? False also where this user may not ask. */
bool nft_has_table(const char *name);
