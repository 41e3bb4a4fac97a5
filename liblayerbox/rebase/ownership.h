/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which package brought a path: of those packages only that are not the same in all three trees. */
#pragma once

#include "packages.h"
#include "view.h"

/* The three trees of a rebase. */
struct three_views {
	struct view old, new, own;
};

struct owned_path {
	char *path;                   /* as it lies in the tree: relative, /bin and the like resolved */
	const struct package_decision *package;
	bool in_old, in_new, in_own;  /* whose version of the package has it */
	char md5[33];                 /* of the content that the container's version brought; "" where not known */
};

struct ownership {
	struct owned_path *paths;     /* sorted */
	size_t count, capacity;
	size_t bytes;                 /* of lists that were read, which count against a limit */
	char *aliases[8];             /* "bin=usr/bin" ..., of a tree where they are links */
};

/*
 * Reads the lists of the packages that @merge decides on. 0, or a negative errno: -E2BIG for more than any system has.
 */
int ownership_load(const struct three_views *views, const struct package_merge *merge, struct ownership *ret_ownership);

void ownership_free(struct ownership *ownership);

/* NULL: no package that @merge decides on has it. */
const struct owned_path *ownership_find(const struct ownership *ownership, const char *path);

enum { OWNERSHIP_PATH_SIZE = 4096 };

/*
 * Where a path of dpkg's lies in the tree: relative, /bin and the like resolved. In @buffer or @path itself; NULL for
 * what no tree can have.
 */
const char *ownership_resolve(const struct ownership *ownership, const char *path, char buffer[OWNERSHIP_PATH_SIZE]);

/* Is there a path below @directory (without a slash at its end) that @test accepts? */
bool ownership_any_below(const struct ownership *ownership, const char *directory,
			 bool (*test)(const struct owned_path *owned));
