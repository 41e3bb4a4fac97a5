/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole directory trees, by descriptor. What is in them may be hostile: links are never followed, other
 * file systems never entered, and depth costs neither stack nor descriptors.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "text.h"

/*
 * Removes @name below @dir_fd with all that is in it; 0 also when it is not there. A mount point inside is
 * not entered: then -EBUSY, and everything beside it may be gone already.
 */
int tree_remove(int dir_fd, const char *name);

/*
 * The disk space of a tree in bytes (st_blocks); a file with several names counts once, wherever its other names are.
 * -ESTALE where directories were moved about meanwhile, -E2BIG where there are more than 50 million names, or 4 million
 * of files that have several: no system has that, only somebody's trap.
 */
int tree_disk_usage(int dir_fd, const char *name, uint64_t *ret_bytes);

/* What of that would be free if the tree were gone: files that have names elsewhere, too, do not count. */
int tree_own_usage(int dir_fd, const char *name, uint64_t *ret_bytes);

/* Adds what is in an open directory, but . and .., sorted: whiteouts of a layer as well. */
int tree_list_names(int dir_fd, struct text_list *names);

/* mkdir -p below @dir_fd for a relative or absolute @path; what exists stays as it is. Returns 1 if all did. */
int tree_make_directories(int dir_fd, const char *path, mode_t mode);

/* openat2(2) with RESOLVE_IN_ROOT: @path is resolved as if @root_fd were /, whatever links say. */
int tree_open_in_root(int root_fd, const char *path, int flags, mode_t mode);

/*
 * Reads a regular file of at most @max bytes, found in the same way, into a terminated text, the caller's. -EINVAL for
 * what is none, -EFBIG. For text alone: a NUL byte in it ends it for whoever reads on.
 */
int tree_read_in_root(int root_fd, const char *path, size_t max, char **ret_text);

/* openat2(2) that follows no link at all, leaves @dir_fd by no way and enters no mount: -ELOOP, -EXDEV. */
int tree_open_beneath(int dir_fd, const char *path, int flags);

/* The same for an absolute path of the host, through whatever is mounted there: -ELOOP where there is a link in it. */
int tree_open_without_links(const char *path, int flags);

/*
 * tree_open_in_root() for the parent directory of @path, which is not created; *ret_name points into @path at the last
 * component. For unlinkat(2), symlinkat(2) and the like, which follow nothing in their last component.
 * -EINVAL where that is nothing, "." or "..": from the parent's descriptor it would lead out.
 */
int tree_open_parent_in_root(int root_fd, const char *path, const char **ret_name);
