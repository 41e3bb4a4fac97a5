/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stacks: a parent's generation with a recipe's packages, files and commands in it. */
#pragma once

#include "recipe.h"
#include "staging.h"

/* Builds the first generation of a stack. */
int stack_build(struct lb_context *ctx, const struct recipe *recipe, const char *name);

/* Its newest generation's parent, where that has a newer one; NULL where it has not, or it is no stack. */
int stack_find_newer_parent(struct lb_context *ctx, const struct lb_base *base, struct lb_base **ret_parent);

/* Makes the next generation of @base, a stack, on @parent. */
int stack_rebuild(struct lb_context *ctx, const struct lb_base *base, const struct lb_base *parent);
