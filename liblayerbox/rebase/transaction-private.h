/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of a transaction share; nobody else includes it. */
#pragma once

#include "journal.h"
#include "transaction.h"
#include "workspace.h"

struct transaction {
	struct workspace ws;
	int below_fd;                 /* not owned; -1: none */
	struct journal journal;       /* of what was committed */
	struct journal parents, moves, attributes; /* of the present batch, in the order in which the journal will have them */
	void *nodes;                  /* what the present batch knows of paths, see transaction-plan.c */
	unsigned change;              /* counts what the batch does, to tell what is known from before it */
	unsigned next;                /* number of the next entry */
	bool switched;                /* a journal is on disk */
	bool over;                    /* a commit has failed */
};

/* ---- transaction-plan.c: what will be where, when the operations so far are done ---- */

/* A path, as it will be. */
struct place {
	bool exists;
	struct stat st;               /* where it exists */
	bool on_disk;                 /* it is in the top layer already, not in what was prepared */
	struct plan_node *parent;     /* its directory */
};

/*
 * Looks up @path. Where directories above it are missing, they are made with @make; else -ENOENT, with a sentence. One
 * that is no directory is a failure.
 */
int plan_find(struct transaction *transaction, const char *path, bool make, struct place *ret_place);

/*
 * The batch will have new/@number at @path, which looks like @st; with a NULL @st, nothing. Notes the parent's times.
 */
int plan_change(struct transaction *transaction, const char *path, const struct place *place, unsigned number,
		const struct stat *st);

/* Forgets everything: what was planned is on disk, or given up. */
void plan_forget(struct transaction *transaction);

/* ---- transaction-put.c ---- */

/* A directory for a path at which there is none yet, prepared and noted. */
int put_directory(struct transaction *transaction, const char *path, const struct place *place);

/* ---- transaction-durable.c ---- */

/* What was prepared for the lines from @first on gets to disk, and the whole of @journal as the one that counts. */
int durable_journal(const struct workspace *ws, const struct journal *journal, size_t first);

/* The renames of all lines from @first on get to disk. */
int durable_moves(const struct workspace *ws, const struct journal *journal, size_t first);

/* Removals and renames in rebase/ itself. */
int durable_workspace(const struct workspace *ws);

/* ---- transaction-undo.c, transaction-state.c ---- */

/* Undoes by @journal, whose last lines need not be on disk, and sweeps. A sentence where it fails. */
int undo_by(struct workspace *ws, const struct journal *journal);

/* Removes all but undone/, into which goes first what has to be kept. */
int workspace_sweep(struct workspace *ws);

/* ---- undone.c ---- */

/* Moves the entry @name below @from_fd into undone/, to @path or, where something else is there, to a name like it. */
int undone_keep(const struct workspace *ws, int from_fd, const char *name, const char *path, unsigned number);
