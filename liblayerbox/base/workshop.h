/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A sealed tree, opened for changes: an overlay over it, whose layers lie among the temporary files of a staging, and
 * programs that run in it. What they have changed becomes the staging's tree.
 */
#pragma once

#include "../adapters/inside.h"
#include "staging.h"

/*
 * Where new system accounts of bases get their numbers, and those of stacks, since both end up in one tree. Package
 * scripts in containers allocate upwards from 100, systemd downwards from 999.
 */
enum { NUMBERS_BASE_FIRST = 700, NUMBERS_STACK_FIRST = 800, NUMBERS_COUNT = 100 };

struct workshop {
	struct lb_context *ctx;
	struct staging *staging;
	char *lower;                  /* absolute path of the sealed tree */
	char *upper_path;
	char upper[16], work[16];     /* names in staging->scratch */
	int lower_fd, upper_fd;
	bool is_stack;
	const char *script;           /* a file of the host's, see inside.h */
};

#define WORKSHOP_EMPTY { .lower_fd = -1, .upper_fd = -1 }
#define CLEANUP_WORKSHOP CLEANUP(workshop_close)

/* Opens the tree at @lower. A staging may have several, one after another, with different @number. */
int workshop_open(struct staging *staging, const char *lower, unsigned number, struct workshop *shop);

/* Runs a program in it, with the host's network; as inside_run(). */
int workshop_run(const struct workshop *shop, const char *const *argv, spawn_line_fn on_line, void *userdata,
		 int *ret_status, char **ret_output);

/* The same for what an operator has given, @what in sentences: a status other than 0 is a failure. */
int workshop_run_command(const struct workshop *shop, const char *const *argv, const char *what);

/*
 * Makes it generic, and the staging's empty tree of it; files may become links to those in @other_fd, too (-1: none).
 * *ret_changes as in seal().
 */
int workshop_seal(const struct workshop *shop, int other_fd, size_t *ret_changes);

void workshop_close(struct workshop *shop);
