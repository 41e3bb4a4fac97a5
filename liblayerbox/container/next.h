/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A change of all of a container's files in one step: docs/snapshots.md, "One change, one step". What the container will be
 * is prepared in containers/NAME/.next; its renaming to next/ is the change. Whoever comes next moves all to its place.
 */
#pragma once

#include "record.h"

struct next {
	struct lb_context *ctx;
	const char *name;             /* of the container */
	int container_fd;             /* the caller's, locked */
	int fd;                       /* .next */
	int top_fd;                   /* the new top layer; -1: the old one stays */
	char layer[LAYER_ID_SIZE];    /* what the old top layer becomes; "": it goes */
	char label[64];               /* of the snapshot that comes about; "": none */
	char *snapshot;               /* the text of its file */
	bool committed;
};

#define NEXT_EMPTY { .container_fd = -1, .fd = -1, .top_fd = -1 }
#define CLEANUP_NEXT CLEANUP(next_end)

/* Begins one; the container is locked, stopped, and next_finish() was called for it. */
int next_begin(struct lb_context *ctx, int container_fd, const char *name, struct next *ret_next);

/* A new, empty top layer with owner, mode and attributes of @like_fd (-1: the old one), in next->top_fd. */
int next_add_top(struct next *next, int like_fd);

/*
 * Commits it, on disk, and moves everything to its place. Set layer, label and snapshot before. After a failure, and
 * whatever ends the process, the container is as it was or as it will be.
 */
int next_commit(struct next *next, const struct record *record);

/* Removes what was not committed; allowed at any time. */
void next_end(struct next *next);

/*
 * Finishes what a killed command committed, or removes what it did not. Cheap where there is nothing. For whoever holds
 * the container's lock, before anything of it is read. 1 where something was finished.
 */
int next_finish(struct lb_context *ctx, int container_fd, const char *name);

/* Is there something for next_finish() to finish? */
bool next_is_committed(int container_fd);

/* The record of a change that was committed; 1 where there is none. For who holds no lock. */
int next_read(struct lb_context *ctx, int container_fd, const char *name, struct record *ret_record);

/*
 * lock_container(), lock_container_at_once() and lock_root_and_container() of core/lock.h for everybody who reads or changes what is in the
 * container's directory: with next_finish().
 */
int container_lock(struct lb_context *ctx, const char *name);
int container_lock_at_once(struct lb_context *ctx, const char *name);
int container_lock_with_root(struct lb_context *ctx, const char *name, int *ret_root_lock);

/* container_lock() for a name that a caller of the library gave: is it one, and may the caller do that? */
int container_enter(struct lb_context *ctx, const char *name);
