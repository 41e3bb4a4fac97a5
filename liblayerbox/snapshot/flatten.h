/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A chain must not grow without end: from a clone to its clone, or from one restore to the next. */
#pragma once

#include "layer.h"

/*
 * Where @chain has CHAIN_FLATTEN layers it becomes one farm of them all, and there is room for more; what names the
 * others keeps them. The farm is held by @farm until somebody names it. 1 where the chain is short and stays as it is.
 */
int chain_flatten(struct lb_context *ctx, struct chain *chain, struct layer_draft *farm);
