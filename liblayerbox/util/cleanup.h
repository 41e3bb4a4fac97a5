/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a scope owns and gives back when it is left, and how ownership leaves with the result.
 *
 *     CLEANUP_FREE char *text = NULL;      freed at the end of the scope
 *     CLEANUP_FD int fd = -1;              closed at the end of the scope
 *     *ret_fd = take_fd(&fd);              handed over: the scope owns nothing any more
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* close(2) without touching errno, so that it can stand between a failure and its report. */
static inline void close_fd(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

/* fdopendir(3) that takes @fd in any case: NULL, with errno, where it is none or cannot be read as a directory. */
static inline DIR *take_dir(int fd)
{
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		close_fd(fd);
	return dir;
}

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_fd(const int *fd)
{
	close_fd(*fd);
}

static inline void cleanup_dir(DIR **dir)
{
	int saved = errno;

	if (*dir)
		closedir(*dir);
	errno = saved;
}

static inline void cleanup_file(FILE **file)
{
	int saved = errno;

	if (*file)
		fclose(*file);
	errno = saved;
}

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define CLEANUP_FREE CLEANUP(cleanup_free)
#define CLEANUP_FD CLEANUP(cleanup_fd)
#define CLEANUP_DIR CLEANUP(cleanup_dir)
#define CLEANUP_FILE CLEANUP(cleanup_file)

#define TAKE_PTR(p)                      \
	({                               \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;              \
		taken_;                  \
	})
