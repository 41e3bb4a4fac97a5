/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a base is built, as a file says it. bases/NAME.recipe under the root wins over the installed one; a
 * recipe may include parts (bases/NAME.part), which are the same kind of file without a method.
 */
#pragma once

#include "../core/name.h"

enum recipe_method {
	RECIPE_METHOD_NONE,           /* a part */
	RECIPE_METHOD_DEBIAN,
	RECIPE_METHOD_BUSYBOX,
	RECIPE_METHOD_STACK,          /* the parent, and what the recipe adds to it */
};

struct recipe {
	char name[NAME_LENGTH_MAX + 1];
	enum recipe_method method;
	char *description;
	char *parent;                 /* of a stack: a base's name */
	char *suite, *variant;        /* Debian: what to bootstrap ... */
	char *updates, *security;     /* ... and the suites that mend it, of a mirror that is given */
	char *keyring;                /* what signs all of them; NULL leaves it to the bootstrap program */
	char *halt_signal, *reboot_signal; /* NULL in a stack that leaves them to its parent */
	struct text_list components, packages;
	struct text_list files;       /* names of trees below bases/files, laid over the root in this order */
	struct text_list masks;       /* systemd units */
	struct text_list commands;    /* words, run inside the new tree by argument vector */
};

/*
 * Loads the recipe @text: a name, or a path where it has a slash. -LB_ERR_NO_BASE names the recipes there
 * are; -LB_ERR_BAD_CONFIG has file:line.
 */
int recipe_load(struct lb_context *ctx, const char *text, struct recipe *ret_recipe);

/* Loads bases/NAME.part for trees that are not built but imported. */
int recipe_load_part(struct lb_context *ctx, const char *name, struct recipe *ret_recipe);

/* Releases what a recipe holds; a zeroed one is allowed. */
void recipe_free(struct recipe *recipe);

/* Is this a signal's name as lxc.container.conf(5) takes it: SIGPWR, SIGRTMIN+3? */
bool recipe_signal_is_valid(const char *name);
