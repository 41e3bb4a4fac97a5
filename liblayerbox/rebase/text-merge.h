/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Merging a text by lines, with diff3(1). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "../util/text.h"

/*
 * Applies to @own what changed from @old to @new. *ret_clean is false where both changed the same lines, or one of the
 * three is no text (has NUL bytes, or more than 100000 lines, which could take minutes to compare); then *ret_text is
 * NULL. 0, -ENOENT where diff3 is not installed, another errno.
 */
int text_merge(struct slice old, struct slice new, struct slice own, bool *ret_clean, char **ret_text,
	       size_t *ret_length);
