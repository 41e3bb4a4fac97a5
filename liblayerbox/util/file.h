/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole files by directory descriptor: read with a bound, written so that readers see all or nothing. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* How durable a write is when the call returns. */
enum file_durability {
	FILE_LAZY,      /* atomic for other processes; a power cut may lose it */
	FILE_DURABLE,   /* on disk, with its directory entry */
};

/*
 * Reads at most @max bytes of @name below @dir_fd (AT_FDCWD allowed) into a terminated string, the caller's.
 * -EFBIG where there is more. Never follows a link in the last component, never blocks on a fifo.
 */
int file_read(int dir_fd, const char *name, size_t max, char **ret_text, size_t *ret_length);

/* The same for an open file, from where it stands. */
int fd_read_all(int fd, size_t max, char **ret_text, size_t *ret_length);

/* Writes @name as a new file under a temporary name and renames it into place. */
int file_write(int dir_fd, const char *name, const void *data, size_t length, mode_t mode,
	       enum file_durability durability);

/* Writes a file that must not exist yet and leaves it open: the caller syncs many of them at once. */
int file_create(int dir_fd, const char *name, const void *data, size_t length, mode_t mode, int *ret_fd);

/* Makes @count files durable: starts writing all of them out before it waits for any, for one journal commit. */
int files_sync(const int *fds, size_t count);

/* write(2) until all is written. */
int fd_write_all(int fd, const void *data, size_t length);

/* Writes @text into an existing file of /proc or /sys in one write(2). */
int file_write_existing(int dir_fd, const char *name, const char *text);
