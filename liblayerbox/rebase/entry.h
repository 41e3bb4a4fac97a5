/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One entry of a tree or layer: what it is, and whether two are the same. Nothing is trusted, and no link is followed.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

struct entry {
	int dir_fd;                   /* of the directory that it is in; not owned */
	const char *name;
	bool there;
	struct stat st;
};

/* Looks at @name in @dir_fd, which may be -1: then it is not there. 0, or an errno other than ENOENT. */
int entry_look(int dir_fd, const char *name, struct entry *ret_entry);

/* A character device 0:0, overlayfs's mark for "deleted". */
bool entry_is_whiteout(const struct entry *entry);

/* Is it a directory that hides what is below, because overlayfs's mark says so? */
bool entry_is_opaque(int directory_fd);

/* The same file, or (links) the same target: content alone. 1, 0 or a negative errno; false where one is not there. */
int entry_same_content(const struct entry *a, const struct entry *b);

/* Mode, owner and extended attributes, but those of overlayfs; times do not count. 1, 0 or a negative errno. */
int entry_same_attributes(const struct entry *a, const struct entry *b);

/* Both. */
int entry_same(const struct entry *a, const struct entry *b);

/* Opens a regular file for reading: its descriptor, or a negative errno; -EINVAL for what is none. */
int entry_open(const struct entry *entry);
