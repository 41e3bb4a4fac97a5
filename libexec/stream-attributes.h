/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a member says about an entry, put on the entry. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

struct archive_entry;

/* NULL, or why the member cannot be accepted ("has an owner that no file can have"). */
const char *stream_attributes_check(struct archive_entry *entry, bool privileged);

/*
 * Owner, extended attributes, mode, times, in the order in which none takes another one away. @fd: of a file or
 * directory; -1: by name. 0 or a negative errno.
 */
int stream_attributes_set(int dir_fd, const char *name, int fd, struct archive_entry *entry);

/* Takes away what a stream may carry, and nothing of overlayfs's own, from a directory that was there before. */
int stream_attributes_clear(int fd);

/* Does what is made in this directory inherit access control lists? And takes those away again. */
bool stream_attributes_are_inherited(int dir_fd);
int stream_attributes_disinherit(int dir_fd, const char *name);

struct timespec stream_attributes_mtime(struct archive_entry *entry);
