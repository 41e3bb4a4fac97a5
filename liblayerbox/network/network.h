/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bridge containers are on, as the other domains need it. */
#pragma once

#include "../core/context.h"

/* 0 when the bridge is there and up; else -LB_ERR_NETWORK with what to do. Two cheap system calls. */
int network_require(struct lb_context *ctx);

/*
 * Compares network and reservations with what should be, for doctor. Returns the problems that remain.
 * Takes the root's lock: the caller does not hold it.
 */
int network_doctor(struct lb_context *ctx, bool repair, lb_finding_fn fn, void *userdata);
