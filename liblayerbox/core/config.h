/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layerbox.conf(5): the host's settings and their defaults. */
#pragma once

#include "context.h"

/*
 * Fills ctx->config from @file (NULL: the installed one, which may be missing). @root (may be NULL) wins
 * over the file's. -LB_ERR_BAD_CONFIG with file:line, -LB_ERR_BAD_VALUE for a root that is not absolute.
 */
int config_load(struct lb_context *ctx, const char *file, const char *root);
int config_copy(const struct config *config, struct config *ret_config);
void config_free(struct config *config);
