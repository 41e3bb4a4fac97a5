/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers on disk, in ROOT/layers: making one, opening a chain of them, and taking away what nobody needs. */
#pragma once

#include "../core/chain.h"
#include "../core/context.h"
#include "../util/cleanup.h"

#define LAYER_TREE "rootfs-layer"
#define LAYER_SOURCE "source"                   /* of a live copy: the states of what was copied, see live-copy.h */

/* A layer that is being made, as layers/.new-ID, locked by its maker. */
struct layer_draft {
	struct lb_context *ctx;
	char id[LAYER_ID_SIZE];
	int layers_fd;                /* ROOT/layers */
	int fd;                       /* its directory, with a flock(2) on it */
	int tree_fd;                  /* LAYER_TREE in it, empty at first */
	bool published;
};

#define LAYER_DRAFT_EMPTY { .layers_fd = -1, .fd = -1, .tree_fd = -1 }
#define CLEANUP_LAYER_DRAFT CLEANUP(layer_draft_end)

/*
 * Begins a layer, without a lock but its own. @id NULL: a new identifier; else one that comes from elsewhere,
 * -LB_ERR_EXISTS where it is there already.
 */
int layer_draft_begin(struct lb_context *ctx, const char *id, struct layer_draft *ret_draft);

/*
 * Writes it to disk and gives it its name. It stays locked, so that it is not swept, until layer_draft_end(): by then a
 * record or a snapshot must name it.
 */
int layer_draft_publish(struct layer_draft *draft);

/* Removes what was not published, and gives the lock back; allowed at any time. */
void layer_draft_end(struct layer_draft *draft);

/* Is there such a layer? */
bool layer_exists(struct lb_context *ctx, const char *id);

/* Opens the directory of a layer for reading: a descriptor, or -LB_ERR_DAMAGED where it is gone. */
int layer_open(struct lb_context *ctx, const char *id);

/* Opens its tree. With a shared flock(2) on that, which keeps the layer from being swept until it is closed. */
int layer_open_tree(struct lb_context *ctx, const char *id);

/* The trees of a chain, topmost first, and below them the one of a base's generation. */
struct chain_trees {
	size_t count;
	int fds[CHAIN_MAX + 2];       /* one more than both, for who puts a top layer before them */
};

#define CLEANUP_CHAIN_TREES CLEANUP(chain_trees_close)

/*
 * Opens them for reading, layers held as by layer_open_tree(), the base by whoever names it. @base NULL: without.
 * @top_fd: put first (it is duplicated); -1: none.
 */
int chain_open_trees(struct lb_context *ctx, const struct chain *chain, const char *base, unsigned generation,
		     int top_fd, struct chain_trees *ret_trees);
void chain_trees_close(struct chain_trees *trees);

/*
 * The same with @base_text, "NAME@GENERATION", held as by base_hold(), for who reads what others may stop to name:
 * *ret_base_fd and *ret_generation_fd are set, and the caller's to close, also where it fails.
 */
int chain_hold_trees(struct lb_context *ctx, const struct chain *chain, const char *base_text, int top_fd,
		     struct chain_trees *ret_trees, int *ret_base_fd, int *ret_generation_fd);

/*
 * Takes away the layers that nobody names, for who holds no lock of the root's. What cannot be taken away is reported
 * to the log.
 */
int layers_sweep(struct lb_context *ctx);

/*
 * To be called before a name of a layer goes from a record or a snapshot: a sweep that a kill prevents is made up for.
 */
int layers_sweep_later(struct lb_context *ctx);

/* Is a sweep overdue? Cheap. */
bool layers_sweep_is_due(struct lb_context *ctx);
