/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The base's apt at work for debs.c; nobody else includes it. */
#pragma once

#include "base.h"

#define DEBS_UPPER "upper"
#define DEBS_WORK "work"

/*
 * Looks up @wanted (as for debs_fetch()) in the base's sources and downloads what they have into the directory
 * DEBS_UPPER. @layers: the path of @layers_fd, which has that and DEBS_WORK, both empty. *ret_chosen:
 * PACKAGE[:ARCH]=VERSION, of those that were; *ret_stanzas: what the sources say about them.
 */
int debs_download(const struct lb_base *base, const char *layers, int layers_fd, const struct text_list *wanted,
		  struct text_list *ret_chosen, char **ret_stanzas);
