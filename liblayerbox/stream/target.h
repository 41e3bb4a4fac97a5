/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a container is moved to: ssh://[USER@]HOST[:PORT], and the words by which ssh is run for it. */
#pragma once

#include "../core/context.h"

struct target {
	char user[33];                /* or "" */
	char host[254];               /* a name or an address, an IPv6 one without its brackets */
	char port[6];                 /* or "" */
};

/*
 * Reads it. -LB_ERR_BAD_VALUE for what is none, and for names that ssh could take for something else: it knows neither
 * options nor shells in a host's name.
 */
int target_parse(struct lb_context *ctx, const char *text, struct target *ret_target);

/*
 * Adds ssh's words: the program and options of @ssh, the target, and the command that is run there. ssh joins that one
 * with spaces for a shell of the other side's, so its words may only have letters, digits and . _ - @ = : , / + in
 * them: -EINVAL else.
 */
int target_words(const struct target *target, const char *ssh, const char *const *command, struct text_list *words);
