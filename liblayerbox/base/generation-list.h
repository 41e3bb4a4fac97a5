/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base.h"

/*
 * All generations of all bases, by name, oldest first; a NULL-terminated array for lb_base_list_free(). One that cannot
 * be read is a failure where @all are needed, else left out with a warning. Neither users nor own bytes are filled in.
 */
int generation_list_all(struct lb_context *ctx, bool all, struct lb_base ***ret_bases, size_t *ret_count);

/* Removes what killed commands left of generations of any base. The caller holds the root's lock. */
void generation_sweep(struct lb_context *ctx);
