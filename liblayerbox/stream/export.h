/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing containers as streams. */
#pragma once

#include "../core/context.h"

/*
 * lb_export() for a reader that has the snapshots @since, by labels, oldest first; none where it is empty. It takes the
 * place of options->since.
 */
int export_since(struct lb_context *ctx, const char *container, const struct lb_export_options *options,
		 const struct text_list *since, int fd);
