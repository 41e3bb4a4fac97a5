/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways a recipe's tree comes about; each fills staging->tree. build.c does what is common to all. */
#pragma once

#include "recipe.h"
#include "staging.h"

/* mmdebstrap(1), else debootstrap(8). @mirror is "" for the program's own. */
int build_debian(struct lb_context *ctx, const struct recipe *recipe, const char *mirror, struct staging *staging);

/* The host's statically linked busybox and links to it. */
int build_busybox(struct lb_context *ctx, const struct recipe *recipe, struct staging *staging);

/*
 * Runs @command, split into words, in the new tree: no init is there, the network is the host's. Only for trees that
 * were built.
 */
int build_run_inside(struct lb_context *ctx, const struct staging *staging, const char *command);

/*
 * The caller's environment with what makes programs predictable; a proxy set there stays. @tmpdir (may be
 * NULL) is where a program that may be killed leaves its temporary files.
 */
int build_environment(const char *tmpdir, struct text_list *ret_env);
