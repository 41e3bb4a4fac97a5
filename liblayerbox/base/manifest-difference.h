/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In what two manifests differ, in words. */
#pragma once

#include "manifest.h"

/* Gives every path in which they differ to @fn, in their order. The number of these in *ret_count. 0, or -ENOMEM. */
int manifest_compare(const struct manifest *before, const struct manifest *after, lb_difference_fn fn, void *userdata,
		     size_t *ret_count);

/*
 * What an entry is: "file, 0644, root:root, 12 bytes"; with @other, also what else it differs in from that. The
 * caller's text, NULL without memory.
 */
char *manifest_describe(const struct manifest_entry *entry, const struct manifest_entry *other);
