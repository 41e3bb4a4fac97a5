/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random changes to a tree of files, the same to two of them: one that is seen through an overlay, and a plain one that
 * says what the other must look like. Names are few, so that they come and go often. Nothing is ever followed, and
 * nothing opened but regular files and directories.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHANGE_PATH_MAX = 512 };

struct changes {
	uint64_t random;              /* state of the generator: the seed, to begin with */
	int view_fd;                  /* the tree in the overlay */
	int plain_fd;                 /* -1: there is only one */
	int top_fd;                   /* the overlay's upper layer; needed with plain_fd alone, */
	const char *top_path;         /* and where the trees are in it */
	bool privileged;              /* devices, trusted attributes and capabilities, too */
	char last[2 * CHANGE_PATH_MAX + 64]; /* what was done last, in words */
	size_t succeeded;             /* how many changes were none that had to fail */
};

/* A number below @limit. */
uint64_t changes_random(struct changes *changes, uint64_t limit);

/* One change. 0, or -1 where one tree took it otherwise than the other: @last says which and how. */
int changes_make(struct changes *changes);
