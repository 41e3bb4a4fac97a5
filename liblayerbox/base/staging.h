/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A base while it is being made: os-bases/.new-NAME, locked by its maker, which gets its name when all of it
 * is on disk. Whatever ends the maker before, the next store_sweep() removes what is there.
 */
#pragma once

#include "generation.h"

struct staging {
	struct lb_context *ctx;
	char name[NAME_LENGTH_MAX + 1];
	char hidden[NAME_LENGTH_MAX + 16];
	int bases_fd;
	int fd;                       /* .new-NAME, with a flock(2) on it */
	int generation_fd;
	int tree_fd;
	char *tree;                   /* absolute path of the rootfs */
	char *scratch;                /* absolute path of a directory for temporary files, gone with the rest */
};

#define STAGING_EMPTY { .bases_fd = -1, .fd = -1, .generation_fd = -1, .tree_fd = -1 }
#define CLEANUP_STAGING CLEANUP(staging_end)

/*
 * Makes an empty tree for base @name. -LB_ERR_EXISTS, -LB_ERR_BUSY when another process makes the same one.
 * The root's lock is held only during the call.
 */
int staging_begin(struct lb_context *ctx, const char *name, struct staging *staging);

/* Empties the tree for another try. */
int staging_restart(struct staging *staging);

/* Describes the tree in @record, writes all to disk, and gives the base its name. */
int staging_publish(struct staging *staging, struct generation_record *record);

/* Removes what was not published; allowed at any time. */
void staging_end(struct staging *staging);
