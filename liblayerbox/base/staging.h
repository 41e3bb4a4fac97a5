/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A generation while it is being made, locked by its maker, which gets its name when all of it is on disk: the first of
 * a base together with the base, in os-bases/.new-NAME, others in os-bases/NAME/.new-GENERATION. Whatever ends the
 * maker before, the next store_sweep() removes what is there.
 */
#pragma once

#include "generation.h"

struct staging {
	struct lb_context *ctx;
	char name[NAME_LENGTH_MAX + 1];
	unsigned generation;
	char *directory;              /* absolute path of the hidden directory */
	const char *hidden;           /* its name, in @directory */
	int parent_fd;                /* the directory it is in */
	int fd;                       /* the hidden directory, with a flock(2) on it */
	int generation_fd;            /* the generation's: in it, or the same */
	int previous_fd;              /* a sealed generation whose files the tree has links to; -1: none */
	int tree_fd;
	char *tree;                   /* absolute path of the rootfs */
	char *scratch;                /* absolute path of a directory for temporary files, gone with the rest */
};

#define STAGING_EMPTY \
	{ .parent_fd = -1, .fd = -1, .generation_fd = -1, .previous_fd = -1, .tree_fd = -1 }
#define CLEANUP_STAGING CLEANUP(staging_end)

/*
 * Makes an empty tree for the first generation of base @name. -LB_ERR_EXISTS, -LB_ERR_BUSY when another process makes
 * the same one. The root's lock is held only during the call.
 */
int staging_begin(struct lb_context *ctx, const char *name, struct staging *staging);

/*
 * The same for the generation after @base, its newest one, which is held until the end. -LB_ERR_BUSY when another
 * process makes it, too.
 */
int staging_begin_next(const struct lb_base *base, struct staging *staging);

/* Empties the tree for another try. */
int staging_restart(struct staging *staging);

/* Moves the tree to @name among the temporary files, and makes another, empty one. */
int staging_set_aside(struct staging *staging, const char *name);

/* Describes the tree in @record, writes all to disk, and gives the generation, or the base, its name. */
int staging_publish(struct staging *staging, struct generation_record *record);

/* Removes what was not published; allowed at any time. */
void staging_end(struct staging *staging);
