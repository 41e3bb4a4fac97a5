/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A base from somebody else's tree, in whatever form that comes. */
#pragma once

#include "staging.h"

/* Lays the tree that @source names into the empty one of @staging. */
typedef int (*import_fill_fn)(struct lb_context *ctx, const char *source, const struct staging *staging, void *data);

/* Makes base @name of what @fill lays: made generic, sealed and published. Name and rights have been checked. */
int base_import_with(struct lb_context *ctx, const char *name, const char *source, import_fill_fn fill, void *data);
