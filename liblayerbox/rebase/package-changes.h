/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a generation changed of its packages, as `changes` beside its tree says: NAME OLD NEW security|- in each line.
 */
#pragma once

#include "../core/context.h"

/* The packages that changed between two generations of a base, the first exclusive. */
struct package_changes {
	struct text_list packages;    /* sorted, each once */
	struct text_list security;    /* those of them that a security update changed */
	int64_t since;                /* when the first of the newer generations was sealed; 0: there is none */
};

/* Generations that are gone are passed over: what they had changed is not known any more. */
int package_changes_load(struct lb_context *ctx, const char *base, unsigned after, unsigned to,
			 struct package_changes *ret_changes);

void package_changes_free(struct package_changes *changes);
