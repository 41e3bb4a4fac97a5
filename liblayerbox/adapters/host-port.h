/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ports that programs of this host listen on. */
#pragma once

#include "../core/context.h"

/*
 * Does a program of this host take what comes to @port at @listen, an address of the host ("": all but loopback)?
 * Then 1, and "0.0.0.0:22" in *ret_where, the caller's; else 0.
 */
int host_port_find(struct lb_context *ctx, bool udp, const char *listen, uint16_t port, char **ret_where);
