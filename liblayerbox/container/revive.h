/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a start needs of the host and cannot see to once it holds containers' locks. */
#pragma once

#include "../core/context.h"

/*
 * Starts the DHCP servers of the containers' networks again where they died. The caller holds no lock. What fails is
 * a warning: a start goes on, and says itself where there is no network.
 */
void revive_networks_of(struct lb_context *ctx, const char *const *names);
