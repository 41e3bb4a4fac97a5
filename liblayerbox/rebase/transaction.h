/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing a top layer so that it can be killed anywhere, and undone: docs/generations.md, "The transaction". The
 * container is locked by the caller and stopped, so nobody else uses the layer; what is in it is hostile all the same,
 * and no link in it is followed.
 *
 * Paths are relative to the top layer, without a leading slash, "." or "..". Operations are done in the order in which
 * they were given, each path once.
 */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#include "../core/context.h"

struct transaction;

/*
 * Begins in containers/NAME/rebase, below @container_fd; what an earlier one left there that was never switched is
 * removed. -LB_ERR_BUSY where one is not finished.
 */
int transaction_begin(struct lb_context *ctx, int container_fd, const char *name, struct transaction **ret_transaction);

/* The entry at @path goes, a directory with all that is in it. */
int transaction_drop(struct transaction *transaction, const char *path);

/*
 * A regular file with that content; mode, owner and times from @like. Extended attributes of @source_fd (-1: none), but
 * those of overlayfs, are copied. Directories above it that the top layer lacks are made, like those of @below (a
 * base's tree).
 */
int transaction_put_data(struct transaction *transaction, const char *path, const void *data, size_t length,
			 const struct stat *like, int source_fd);

/*
 * A copy of what is at @source_path below @source_fd: a file, link, device, fifo, socket, or directory (without what is
 * in it); attributes from @like where that is not NULL.
 */
int transaction_put_copy(struct transaction *transaction, const char *path, int source_fd, const char *source_path,
			 const struct stat *like);

/* A whiteout: the base's entry of that name does not show. */
int transaction_put_whiteout(struct transaction *transaction, const char *path);

/* Moves the entry @name below @from_fd, which is on the same file system, to @path. */
int transaction_put_entry(struct transaction *transaction, const char *path, int from_fd, const char *name);

/* Mode, owner and times of a directory that is in the top layer and stays there. */
int transaction_set_attributes(struct transaction *transaction, const char *path, const struct stat *like);

/* Takes the mark from an opaque directory of the top layer: what the base has below it shows from now on. */
int transaction_uncover(struct transaction *transaction, const char *path);

/* Where directories that are missing above a path have their attributes from: the new base's tree. Not owned. */
void transaction_set_below(struct transaction *transaction, int base_fd);

/*
 * Writes what was prepared to disk, notes it in the journal, and switches. After a failure everything is as it was
 * before transaction_begin(). May be called again with further operations, which are undone with the others.
 */
int transaction_commit(struct transaction *transaction);

/* Frees it; what was not committed is removed from disk. */
void transaction_end(struct transaction *transaction);
#define CLEANUP_TRANSACTION CLEANUP(transaction_cleanup)
void transaction_cleanup(struct transaction **transaction);

/*
 * What a container's rebase/ says. Whether a switch counts is said by the container's record: where that is still on
 * the old generation, a switched (or half-switched) one is to be undone.
 */
enum transaction_state {
	TRANSACTION_NONE,
	TRANSACTION_BEGUN,            /* nothing is changed yet, or all is undone: transaction_confirm() sweeps it */
	TRANSACTION_SWITCHED,         /* has a journal: can be undone, or confirmed */
};

int transaction_get_state(struct lb_context *ctx, int container_fd, const char *name,
			  enum transaction_state *ret_state);

/*
 * Moves everything back, last operation first; can be killed and called again. What it displaces is kept in
 * rebase/undone/.
 */
int transaction_undo(struct lb_context *ctx, int container_fd, const char *name);

/* Removes the way back. */
int transaction_confirm(struct lb_context *ctx, int container_fd, const char *name);
