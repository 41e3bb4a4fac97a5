/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that a program finds in a tree while it runs there, and that are gone afterwards. For a process whose / is the
 * tree, with no more rights than the program.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

/* A file that was laid into a directory of the tree, and how that directory was before. */
struct laid_file {
	const char *path;             /* NULL: none was */
	int directory_fd;
	struct timespec before, since;
	const char *content;
};

/* Lays a file where there is nothing yet, and where its directory is; else does nothing. */
void inside_lay_file(const char *path, const char *content, mode_t mode, struct laid_file *laid);

/* Takes it away if that is still what it says, and gives the directory its time back if nobody else changed it. */
void inside_take_file(struct laid_file *laid);

/* Makes the target of a link at @path that leads to nothing into /run. */
void inside_fill_link(const char *path, const char *content);

/* The programs of INSIDE_PATH and apt's configuration, see adapters/inside.h. 0 or -errno. */
int inside_make_account_programs(unsigned ids_first, unsigned ids_last);
