/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copies of single entries of a tree, with everything that the kernel keeps about them. Names are single components of
 * open directories; nothing is followed, and no device, fifo or socket is opened.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Copies @from as @to, which must not exist; a directory without what is in it. Content is shared where the file system
 * can, and holes stay holes. Owner, mode and times are those of @like, or where that is NULL, the source's. Extended
 * attributes come along, ACLs and capabilities included, but for those with which overlayfs says where *this* inode
 * came from. What a failure leaves of @to is the caller's to remove. 0, or a negative errno.
 */
int tree_copy_entry(int from_fd, const char *from, int to_fd, const char *to, const struct stat *like);

/* The same, without beginning to write it to disk: for many small ones, or where time is short. */
int tree_copy_entry_lazily(int from_fd, const char *from, int to_fd, const char *to, const struct stat *like);

/* Owner, extended attributes of the open file @source_fd (-1: none), mode and times for an entry that is there. */
int tree_copy_attributes(int source_fd, int to_fd, const char *to, const struct stat *like);

/* Owner, mode and times of @like, also for a link; in this order, since a change of owner takes setuid bits away. */
int tree_set_attributes(int dir_fd, const char *name, const struct stat *like);

/*
 * Says of an open directory, not the topmost one, that whiteouts are in it; for whoever puts them there other than by
 * an overlay. Where no layer below has such a directory, the kernel lists them otherwise, and never deletes it.
 */
int tree_mark_whiteouts(int fd);

/* Is it an attribute that overlayfs wrote about the inode itself, and that would be a lie about a copy? */
bool tree_copy_leaves_out(const char *name);
