/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Layers that came with an identifier that was somebody else's here, and got another one: containers/NAME/received. A
 * later stream that is a difference to them still calls them as its sender does.
 */
#pragma once

#include "../core/chain.h"
#include "../core/context.h"

#define ID_MAP_FILE "received"

enum { ID_MAP_MAX = 256 };

struct id_map {
	size_t count;
	struct id_pair {
		char theirs[LAYER_ID_SIZE], ours[LAYER_ID_SIZE];
	} pairs[ID_MAP_MAX];
};

/* Reads that of a container whose directory is open; an empty one where there is none. */
int id_map_read(struct lb_context *ctx, int container_fd, const char *name, struct id_map *map);

/* The file's text; the caller's, NULL without memory. */
char *id_map_to_text(const struct id_map *map);

/* What @theirs is called here; the same where it got no other identifier. */
const char *id_map_find(const struct id_map *map, const char *theirs);

/* Adds one; the oldest goes where there are too many. */
void id_map_add(struct id_map *map, const char *theirs, const char *ours);
