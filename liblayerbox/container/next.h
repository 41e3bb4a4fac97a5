/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A change of all of a container's files in one step: docs/snapshots.md, "One change, one step". What the container
 * will be is prepared in containers/NAME/.next; its renaming to next/ is the change. Whoever comes next moves all to
 * its place.
 */
#pragma once

#include "../snapshot/snapshot.h"
#include "record.h"

/* What comes in the same step from another host: NULL where there is no such thing. */
struct next_came {
	char label[LABEL_SIZE + 16];  /* of a snapshot of the layers that the record will have */
	char *snapshot;               /* the text of its file */
	char *received;               /* the text of containers/NAME/received: what layers are called here */
};

struct next {
	struct lb_context *ctx;
	const char *name;             /* of the container */
	int container_fd;             /* the caller's, locked */
	int fd;                       /* .next */
	int top_fd;                   /* the new top layer; -1: the old one stays */
	char layer[LAYER_ID_SIZE];    /* what the old top layer becomes; "": it goes */
	char label[LABEL_SIZE];       /* of the snapshot that comes about; "": none */
	char *snapshot;               /* the text of its file */
	const struct next_came *came; /* the caller's; NULL: nothing */
	bool committed;
	int unfinished;               /* why it is committed, but not all is in its place yet; 0: it is */
};

#define NEXT_EMPTY { .container_fd = -1, .fd = -1, .top_fd = -1 }
#define CLEANUP_NEXT CLEANUP(next_end)

/* Begins one; the container is locked, stopped, and next_finish() was called for it. */
int next_begin(struct lb_context *ctx, int container_fd, const char *name, struct next *ret_next);

/* A new, empty top layer with owner, mode and attributes of @like_fd (-1: the old one), in next->top_fd. */
int next_add_top(struct next *next, int like_fd);

/*
 * Commits it, on disk, and moves everything to its place. Set layer, label, snapshot and came before. After a failure
 * nothing has happened; whatever ends the process, the container is as it was or as it will be. Once it is committed
 * it is done: if it cannot be moved, that is reported to the log, the next command goes on with it, and
 * next->unfinished tells.
 */
int next_commit(struct next *next, const struct record *record);

/* Removes what was not committed; allowed at any time. */
void next_end(struct next *next);

/*
 * Finishes what a killed command committed, or removes what it did not. Cheap where there is nothing. For whoever
 * holds the container's lock, before anything of it is read. 1 where something was finished. What cannot be read is a
 * failure, and stays: only what was never on disk as a whole, so that nothing of it has moved, is removed.
 */
int next_finish(struct lb_context *ctx, int container_fd, const char *name);

/* Is there something for next_finish() to finish? */
bool next_is_committed(int container_fd);

/* What a change that was committed brings along, and has not moved to its place yet. */
struct next_content {
	bool has_record, has_snapshot;
	struct record record;
	struct snapshot_record snapshot;
	char label[LABEL_SIZE];       /* of it */
	char layer[LAYER_ID_SIZE];    /* what the old top layer becomes, or has become; "": none */
};

#define CLEANUP_NEXT_CONTENT CLEANUP(next_content_free)
void next_content_free(struct next_content *content);

/*
 * Reads it; 1 where there is none. For who holds no lock, too: then it may come to its places meanwhile, so these have
 * to be read afterwards.
 */
int next_read(struct lb_context *ctx, int container_fd, const char *name, struct next_content *ret_content);

/* lock_container() of core/lock.h for everybody who reads what is in the container's directory: with next_finish(). */
int container_lock(struct lb_context *ctx, const char *name);

/* The same without waiting: -LB_ERR_BUSY at once. */
int container_lock_at_once(struct lb_context *ctx, const char *name);

/*
 * The same for whoever changes the container, by a name that a caller of the library gave: is it one, may the caller do
 * that, and is it not on its way between hosts (-LB_ERR_BUSY)?
 */
int container_enter(struct lb_context *ctx, const char *name);

/* With the root's lock, which comes first; not for one on its way either. */
int container_lock_with_root(struct lb_context *ctx, const char *name, int *ret_root_lock);
