/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The addresses that this host has itself, whoever gave them to it. */
#pragma once

#include "../core/context.h"

/*
 * Does an interface other than @except have an address whose IPv4 subnet overlaps @network/@prefix (host byte order)?
 * Then 1, and "10.0.3.7/24 on eth0" in *ret_where, the caller's; else 0.
 */
int host_address_find(struct lb_context *ctx, uint32_t network, unsigned prefix, const char *except, char **ret_where);
