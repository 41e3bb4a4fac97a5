/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much disk space top layers take, as it was when somebody last looked at all of their files; in RUNSTATEDIR. An
 * entry counts for the directory that was measured only: a snapshot or a restore puts another one in its place.
 */
#pragma once

#include "../core/context.h"
#include "../core/name.h"

struct layer_size {
	char name[NAME_LENGTH_MAX + 1]; /* of the container */
	uint64_t inode;               /* of its top layer */
	uint64_t bytes;
	int64_t measured;             /* seconds since the epoch; 0: never */
	int64_t tried;                /* when somebody last began to, whether or not it could be done */
};

struct layer_sizes {
	int containers_fd;            /* ROOT/containers, or -1 */
	char *path;                   /* NULL: there is no file */
	struct layer_size *items;     /* sorted by name */
	size_t count;
};

/* What cannot be read is an empty list. */
int layer_sizes_load(struct lb_context *ctx, struct layer_sizes *ret_sizes);

/* The size of the container's present top layer, or NULL where nobody has looked yet. */
const struct layer_size *layer_sizes_find(const struct layer_sizes *sizes, const char *name);

void layer_sizes_free(struct layer_sizes *sizes);
