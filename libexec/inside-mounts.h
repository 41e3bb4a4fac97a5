/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is mounted in a tree before a program runs in it. The tree is hostile: its paths are resolved as if it were the
 * root, and everything is attached by descriptor. For root in the initial user namespace, in a mount namespace of its
 * own; @owner is the host's id of the tree's root.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* /proc of the caller's pid namespace, a small /dev, tmpfs on /run and /tmp. 0, or -errno with a sentence in @error. */
int inside_mount_all(int root_fd, uint32_t owner, char *error, size_t size);

/*
 * Covers the regular file at @path with one that has @content, made in @scratch_fd; 1 where no file is there to be
 * covered.
 */
int inside_cover_file(int root_fd, const char *path, int scratch_fd, const char *name, const char *content, int mode);
