/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A layer as a beginning of another one: directories are made anew, all else are hard links. */
#pragma once

#include "stream-error.h"

/* @from: a tree that does not change; @fd: an empty directory of the same file system. */
int stream_copy_tree(int from_fd, int fd, struct stream_error *error);
