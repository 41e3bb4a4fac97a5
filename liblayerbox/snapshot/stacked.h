/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Trees over one another as overlayfs would show them, read without mounting anything: so it is known of each directory
 * which of them have a part in it. Nothing in them is trusted, and no link is followed.
 */
#pragma once

#include "../rebase/entry.h"
#include "../util/text.h"
#include "layer.h"

/* Some of the trees of a chain: a bit for each, the lowest for the topmost tree. */
typedef uint32_t tree_set;

/* One directory, as its parts. */
struct stacked_directory {
	size_t count;
	int fds[CHAIN_MAX + 2];       /* topmost first */
	size_t trees[CHAIN_MAX + 2];  /* which trees they are of */
};

#define CLEANUP_STACKED_DIRECTORY CLEANUP(stacked_close)

/* What a name in it shows. */
struct stacked_entry {
	struct entry entry;           /* of the topmost tree that has it; whiteouts are not there */
	size_t tree;                  /* which one that is */
	tree_set parts;               /* of a directory: the trees that it consists of */
};

/* All trees. */
tree_set stacked_all(const struct chain_trees *trees);

/*
 * Opens the parts of @path, relative or "", that the trees of @parts have; what is no directory there any more is left
 * out. 0, or a negative errno.
 */
int stacked_open(const struct chain_trees *trees, const char *path, tree_set parts,
		 struct stacked_directory *ret_directory);
void stacked_close(struct stacked_directory *directory);

/*
 * Adds the names in all parts, sorted; some may show nothing, and some be there several times. 0, or a negative errno.
 */
int stacked_list(const struct stacked_directory *directory, struct text_list *names);

/* Looks at a name. What is not there is no failure. */
int stacked_look(const struct stacked_directory *directory, const char *name, struct stacked_entry *ret_entry);

/*
 * Reads a regular file of at most @max bytes into a terminated text, the caller's. -ENOENT, also where there is a link
 * on the way; -EINVAL for what is no file, -EFBIG.
 */
int stacked_read(const struct chain_trees *trees, const char *path, size_t max, char **ret_text);
