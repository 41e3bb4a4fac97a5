/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packages from the sources of a base's generation, for containers that have more installed than their base. They are
 * downloaded by the base's apt, with the base's configuration, and kept for all containers of that generation:
 *
 *     ROOT/debs/NAME@GENERATION/PACKAGE[:ARCH].deb
 *                               PACKAGE[:ARCH].control    its stanza as a status has it; there: the other is complete
 *                               .new/                     while something is fetched
 *
 * Whoever changes such a directory has a flock(2) on it. It goes with its generation.
 */
#pragma once

#include "../core/context.h"

/*
 * Fetches what is missing of @wanted, each PACKAGE[:ARCH][=VERSION]: that version where the sources have it, else what
 * apt would take; without @network, nothing. *ret_status are the stanzas of those that there are, the caller's; what
 * the sources do not have is no failure.
 */
int debs_fetch(struct lb_context *ctx, const char *base, unsigned generation, const struct text_list *wanted,
	       bool network, char **ret_status);

/*
 * Puts packages, each PACKAGE[:ARCH], into the directory @to_fd, by the names that they have here. -LB_ERR_BUSY where
 * one is gone.
 */
int debs_put(struct lb_context *ctx, const char *base, unsigned generation, const struct text_list *packages,
	     int to_fd);

/* Removes those of generations that are no more. The caller holds the root's lock. */
void debs_sweep(struct lb_context *ctx);
