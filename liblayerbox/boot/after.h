/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The setting boot.after: whom it may name, and that it follows a rename. */
#pragma once

#include "../core/context.h"

/*
 * May container @name come after those that @value names? -LB_ERR_BAD_VALUE where one is not there, or it would come
 * after itself by way of others. The caller holds the root's lock.
 */
int after_check(struct lb_context *ctx, const char *name, const char *value);

/*
 * Has those who come after @old_name come after @new_name. What somebody else works on is waited for shortly; then
 * there is a warning, and the doctor tells. Can be repeated. The caller holds the lock of @new_name.
 */
int after_rename(struct lb_context *ctx, const char *old_name, const char *new_name);

/* For the doctor: who is named and is not there. Two strings for each: "container NAME", and a sentence. */
int after_find_unknown(struct lb_context *ctx, struct text_list *ret_problems);
