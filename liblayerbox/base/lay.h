/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What layerbox lays over a base's tree: files of its own and masked units. The tree may be hostile. */
#pragma once

#include "recipe.h"

/* Lays the trees bases/files/NAME of @recipe, in order, over @tree_fd; then masks its units. */
int lay_recipe(struct lb_context *ctx, const struct recipe *recipe, int tree_fd);
