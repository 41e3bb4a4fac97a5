/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transaction.h"

#include <fcntl.h>
#include <sys/xattr.h>

#include "../util/tree-copy.h"
#include "../util/tree.h"
#include "transaction-private.h"

/* ---- beginning ---- */

static int check_state(struct lb_context *ctx, int container_fd, const char *name)
{
	enum transaction_state state;
	int r = transaction_get_state(ctx, container_fd, name, &state);

	if (r == 0 && state == TRANSACTION_SWITCHED)
		return fail(ctx, -LB_ERR_BUSY,
			    "the last rebase of container '%s' can still be undone; undo or confirm it first", name);
	return r < 0 || state == TRANSACTION_NONE ? r : transaction_confirm(ctx, container_fd, name);
}

int transaction_begin(struct lb_context *ctx, int container_fd, const char *name, struct transaction **ret_transaction)
{
	struct transaction *transaction;
	int r = check_state(ctx, container_fd, name);

	if (r < 0)
		return r;
	transaction = calloc(1, sizeof *transaction);
	if (!transaction)
		return fail_memory(ctx);
	transaction->below_fd = -1;
	transaction->next = 1;
	r = workspace_open(ctx, container_fd, name, true, &transaction->ws);
	if (r < 0) {
		free(transaction);
		return r;
	}
	*ret_transaction = transaction;
	return 0;
}

/* ---- switching ---- */

static int move_out(struct workspace *ws, const struct journal_line *line)
{
	const char *name;
	int parent = workspace_parent(ws, line->path, &name);

	if (parent < 0)
		return parent;
	return renameat2(parent, name, ws->undo_fd, workspace_number(line->number, "").text, RENAME_NOREPLACE) < 0
		       ? -errno
		       : 0;
}

static int move_in(struct workspace *ws, const struct journal_line *line)
{
	const char *name;
	int parent = workspace_parent(ws, line->path, &name);

	if (parent < 0)
		return parent;
	return renameat2(ws->new_fd, workspace_number(line->number, "").text, parent, name, RENAME_NOREPLACE) < 0
		       ? -errno
		       : 0;
}

static int move(struct workspace *ws, const struct journal_line *line)
{
	int r = journal_moves_out(line) ? move_out(ws, line) : 0;

	if (r < 0)
		return workspace_fail(ws, r, "move out", line->path);
	r = journal_moves_in(line) ? move_in(ws, line) : 0;
	return r < 0 ? workspace_fail(ws, r, "move in", line->path) : 0;
}

/*
 * What was moved into a directory changed its times. Later ones may have moved it, or put something else in its place.
 */
static int set_times(const struct workspace *ws, const struct journal_line *line)
{
	const struct timespec times[] = { line->shall.st_atim, line->shall.st_mtim };
	CLEANUP_FD int fd = workspace_directory(ws, line->path);
	struct stat st;

	if (fd < 0)
		return workspace_is_absent(fd) ? 0 : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_ino == line->shall.st_ino && futimens(fd, times) < 0 ? -errno : 0;
}

static int set_attributes(const struct workspace *ws, const struct journal_line *line)
{
	CLEANUP_FD int fd = workspace_directory(ws, line->path);

	return fd < 0 ? fd : tree_set_attributes(fd, ".", &line->shall);
}

static int uncover(const struct workspace *ws, const struct journal_line *line)
{
	CLEANUP_FD int fd = workspace_directory(ws, line->path);

	if (fd < 0)
		return fd;
	return fremovexattr(fd, WORKSPACE_OPAQUE) < 0 && errno != ENODATA ? -errno : 0;
}

static int switch_over(struct workspace *ws, const struct journal *journal, size_t first)
{
	int r = 0;

	for (size_t i = first; r == 0 && i < journal->count; i++)
		r = move(ws, &journal->lines[i]);
	for (size_t i = first; r == 0 && i < journal->count; i++) {
		const struct journal_line *line = &journal->lines[i];

		if (journal_moves_in(line) && S_ISDIR(line->shall.st_mode))
			r = set_times(ws, line);
		else if (line->verb == JOURNAL_ATTRIBUTES)
			r = set_attributes(ws, line);
		else if (line->verb == JOURNAL_UNCOVER)
			r = uncover(ws, line);
		if (r < 0)
			return workspace_fail(ws, r, "set the attributes of", line->path);
	}
	return r;
}

/* ---- committing ---- */

/* The batch's lines get behind those of earlier ones, parents first: an undo comes to them last. */
static int add_batch(struct transaction *transaction, size_t *ret_first)
{
	*ret_first = transaction->journal.count;
	if (journal_append(&transaction->journal, &transaction->parents) < 0 ||
	    journal_append(&transaction->journal, &transaction->moves) < 0 ||
	    journal_append(&transaction->journal, &transaction->attributes) < 0)
		return fail_memory(transaction->ws.ctx);
	return 0;
}

/* Something failed: the sentence says what, and all is as it was. */
static int take_back(struct transaction *transaction, int cause)
{
	struct lb_context *ctx = transaction->ws.ctx;
	CLEANUP_FREE char *sentence = strdup(ctx->error);
	int r;

	transaction->over = true;
	r = undo_by(&transaction->ws, &transaction->journal);
	if (r < 0)
		return fail_wrap(ctx, cause, "%s; undoing the rebase failed, too, and has to be tried again",
				 sentence ? sentence : "out of memory");
	transaction->switched = false;
	if (sentence)
		text_copy(ctx->error, sizeof ctx->error, sentence);
	return cause;
}

int transaction_commit(struct transaction *transaction)
{
	size_t first = 0;
	int r;

	if (transaction->over)
		return fail(transaction->ws.ctx, -EINVAL,
			    "the rebase of container '%s' has failed and been undone already", transaction->ws.name);
	/* A first batch of nothing has a journal all the same: by it one knows that there is a way back. */
	if (transaction->switched && transaction->moves.count == 0 && transaction->attributes.count == 0)
		return 0;
	r = tree_remove(transaction->ws.rebase_fd, WORKSPACE_UNDONE);
	if (r < 0)
		r = fail_errno(transaction->ws.ctx, r,
			       "cannot remove " WORKSPACE "/" WORKSPACE_UNDONE " of container '%s'",
			       transaction->ws.name);
	if (r == 0)
		r = add_batch(transaction, &first);
	plan_forget(transaction);
	if (r == 0)
		r = durable_journal(&transaction->ws, &transaction->journal, first);
	if (r == 0)
		r = switch_over(&transaction->ws, &transaction->journal, first);
	if (r == 0)
		r = durable_moves(&transaction->ws, &transaction->journal, first);
	if (r < 0)
		return take_back(transaction, r);
	transaction->switched = true;
	return 0;
}

/* ---- ending ---- */

/* Best effort: what stays is removed when the rebase is confirmed. */
static void remove_prepared(struct transaction *transaction)
{
	for (size_t i = 0; i < transaction->moves.count; i++)
		if (journal_moves_in(&transaction->moves.lines[i]))
			(void)tree_remove(transaction->ws.new_fd,
					  workspace_number(transaction->moves.lines[i].number, "").text);
}

void transaction_end(struct transaction *transaction)
{
	struct lb_context *ctx;
	CLEANUP_FREE char *sentence = NULL;

	if (!transaction)
		return;
	ctx = transaction->ws.ctx;
	sentence = strdup(ctx->error);
	if (transaction->switched)
		remove_prepared(transaction);
	else if (!transaction->over && workspace_sweep(&transaction->ws) < 0)
		log_message(ctx, LB_LOG_WARNING,
			    "what an unfinished rebase of container '%s' left could not be removed: %s",
			    transaction->ws.name, ctx->error);
	if (sentence)
		text_copy(ctx->error, sizeof ctx->error, sentence);
	plan_forget(transaction);
	journal_free(&transaction->journal);
	journal_free(&transaction->parents);
	journal_free(&transaction->moves);
	journal_free(&transaction->attributes);
	workspace_close(&transaction->ws);
	free(transaction);
}

void transaction_cleanup(struct transaction **transaction)
{
	transaction_end(*transaction);
}
