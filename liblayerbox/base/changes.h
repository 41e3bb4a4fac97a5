/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file `changes` of a generation: packages in which it differs from the one before, sorted by name, a line each:
 * NAME OLD NEW `security` or `-`; a version that is not there is -.
 */
#pragma once

#include "../core/context.h"

#define GENERATION_CHANGES "changes"

/* Writes it into @generation_fd. @security: names of packages that came from a security archive. */
int changes_write(struct lb_context *ctx, int generation_fd, int before_fd, int after_fd,
		  const struct text_list *security);

/*
 * Adds the packages that that of the generation in @generation_fd calls security updates; none where there is no such
 * file.
 */
int changes_add_security(struct lb_context *ctx, int generation_fd, struct text_list *security);
