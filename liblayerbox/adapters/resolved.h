/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd-resolved: which names it asks the name server of one interface for. Lost when the interface goes. */
#pragma once

#include "../core/context.h"

struct resolved_link {
	const char *interface;
	const char *server;           /* its address */
	const char *domain;           /* names in it, and names without a dot; all others are asked for elsewhere */
};

/*
 * 1 when resolved knows it so, else 0. -LB_ERR_NO_PROGRAM or -LB_ERR_PROGRAM_FAILED where resolved is not there or
 * does not run.
 */
int resolved_has(struct lb_context *ctx, const struct resolved_link *link);

/* Tells resolved so; 1 where it knew. */
int resolved_put(struct lb_context *ctx, const struct resolved_link *link);
