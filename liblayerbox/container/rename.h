/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A rename that was begun, as its record says, and killed. */
#pragma once

#include "record.h"

/*
 * Makes everything anew that holds the container's name, and clears record->renamed_from, in the file too. The
 * caller holds the container's lock; the container is stopped.
 */
int rename_finish(struct lb_context *ctx, const char *name, int directory_fd, struct record *record);
