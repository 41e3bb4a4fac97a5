/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of a container as overlayfs would show them, read without mounting anything: a top layer over a base's
 * tree, or a base alone. For single files whose paths are known; what a container put in their place is not trusted.
 */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#include "../util/text.h"

struct view {
	int base_fd;                  /* neither is owned */
	int top_fd;                   /* -1: the base alone */
};

/*
 * Opens what @path shows: relative, and no link is followed, not even on the way. A descriptor, or a negative errno:
 * -ENOENT also where the top layer hides it, -EINVAL where it is no regular file (no directory, with O_DIRECTORY).
 */
int view_open(const struct view *view, const char *path, int flags);

/*
 * Reads a regular file of at most @max bytes into a terminated text, the caller's. -ENOENT, -EINVAL as above, -EFBIG.
 */
int view_read(const struct view *view, const char *path, size_t max, char **ret_text);

/* Appends the names in a directory, of both layers, sorted; none where there is no such directory. */
int view_list(const struct view *view, const char *path, struct text_list *names);

/* Does a directory above @path hide whatever the base has there? 1, 0 or a negative errno. */
int view_is_covered(const struct view *view, const char *path);

/*
 * Does the top layer say what @path shows: by an entry of its own, or by hiding the base's? 1, 0 or a negative errno.
 */
int view_top_decides(const struct view *view, const char *path);

/*
 * The directory that @path is in, in the base alone: a descriptor, or a negative errno; *ret_name is its last
 * component.
 */
int view_open_base_parent(const struct view *view, const char *path, const char **ret_name);
