/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The networks containers are on, as the other domains need them. */
#pragma once

#include "../core/findings.h"

/* 0 when the network's bridge ("": the default one) is there and up; else -LB_ERR_NETWORK with what to do. Cheap. */
int network_require(struct lb_context *ctx, const char *network);

/*
 * Starts the network's DHCP server again where its bridge is up and that server died. 1 where nothing was to do, which
 * costs a look at the kernel and a pid file. May take the root's lock: the caller holds none.
 */
int network_revive(struct lb_context *ctx, const char *network);

/*
 * Compares network and reservations with what should be, for doctor. Takes the root's lock: the caller does not hold
 * it.
 */
int network_doctor(struct findings *findings);
