/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A change of address that was begun, as its record says, and killed. */
#pragma once

#include "record.h"

/*
 * Makes everything anew that holds the container's address, gives the lease of the old one back, and clears
 * record->ipv4_before, in the file too. The caller holds the container's lock; the container is stopped.
 */
int readdress_finish(struct lb_context *ctx, const char *name, int directory_fd, struct record *record);
