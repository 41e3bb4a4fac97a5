/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree that is made of what a stream has. Members come in the order in which stream_walk() sends them, a directory
 * before what is in it and names by their bytes, and anything else is refused: so nothing comes twice, and all that is
 * remembered are the directories above the present member. Each is held open; nothing is ever looked up through a link.
 */
#pragma once

#include <stdint.h>

#include "stream-error.h"

struct archive_entry;
struct stream_source;
struct stream_tree;

struct stream_tree_options {
	int fd;                       /* the directory that the tree is made in; taken, whatever comes of it */
	const char *prefix;           /* of the members' names, with a slash at its end; copied */
	const char *link_prefix;      /* what names of hard links must begin with, behind @prefix; stays the caller's */
	bool over;                    /* something is there already: the other tree of a difference */
	bool rootless;                /* the tree itself need not come */
	bool privileged;              /* devices and trusted.* are allowed */
};

int stream_tree_begin(const struct stream_tree_options *options, struct stream_source *source,
		      struct stream_error *error, struct stream_tree **ret_tree);

/* The member the source is at, whose name begins with the prefix. */
int stream_tree_put(struct stream_tree *tree, struct archive_entry *entry);

/* Gives what is still open its attributes; nothing more comes. */
int stream_tree_finish(struct stream_tree *tree);

void stream_tree_free(struct stream_tree **tree);

const char *stream_tree_get_prefix(const struct stream_tree *tree);
