/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies in a container's rebase/, by whomever it was left. */
#include <fcntl.h>

#include "../util/file.h"
#include "../util/tree.h"
#include "transaction-private.h"

enum { JOURNAL_BYTES_MAX = 256 << 20 };

static int read_journal(const struct workspace *ws, const char *name, struct journal *ret_journal)
{
	CLEANUP_FREE char *text = NULL;
	int r = file_read(ws->rebase_fd, name, JOURNAL_BYTES_MAX, &text, NULL);

	if (r == 0)
		r = journal_parse(text, ret_journal);
	if (r == -EBADMSG)
		return fail(ws->ctx, -LB_ERR_DAMAGED,
			    WORKSPACE
			    "/%s of container '%s' is damaged; what was moved out of the top layer is in " WORKSPACE
			    "/" WORKSPACE_UNDO ", by the numbers that it still names",
			    name, ws->name);
	return r < 0 ? fail_errno(ws->ctx, r, "cannot read " WORKSPACE "/%s of container '%s'", name, ws->name) : 0;
}

/* ---- state ---- */

/* Whether there is anything but what an undo has kept; an empty one is to be swept, too. */
static bool has_rest(const struct workspace *ws)
{
	return ws->new_fd >= 0 || ws->undo_fd >= 0 || workspace_has(ws->rebase_fd, WORKSPACE_JOURNAL) ||
	       workspace_has(ws->rebase_fd, WORKSPACE_JOURNAL_UNDONE) ||
	       workspace_has(ws->rebase_fd, WORKSPACE_JOURNAL_NEW) || workspace_has(ws->rebase_fd, WORKSPACE_SCRATCH) ||
	       !workspace_has(ws->rebase_fd, WORKSPACE_UNDONE);
}

int transaction_get_state(struct lb_context *ctx, int container_fd, const char *name, enum transaction_state *ret_state)
{
	CLEANUP_WORKSPACE struct workspace ws = WORKSPACE_CLOSED;
	int r = workspace_open(ctx, container_fd, name, false, &ws);

	if (r < 0)
		return r;
	if (r > 0)
		*ret_state = TRANSACTION_NONE;
	else if (workspace_has(ws.rebase_fd, WORKSPACE_JOURNAL))
		*ret_state = TRANSACTION_SWITCHED;
	else
		*ret_state = has_rest(&ws) ? TRANSACTION_BEGUN : TRANSACTION_NONE;
	return 0;
}

/* ---- sweeping ---- */

/* First those that were at the shortest paths, so that what was in a directory comes into it again. */
static int keep_own(const struct workspace *ws)
{
	CLEANUP_JOURNAL struct journal journal = { 0 };
	bool kept = false;
	int r;

	if (ws->new_fd < 0 || !workspace_has(ws->rebase_fd, WORKSPACE_JOURNAL_UNDONE))
		return 0;
	r = read_journal(ws, WORKSPACE_JOURNAL_UNDONE, &journal);
	for (size_t i = 0; r == 0 && i < journal.count; i++) {
		struct workspace_name own = workspace_number(journal.lines[i].number, WORKSPACE_OWN);

		if (!workspace_has(ws->new_fd, own.text))
			continue;
		kept = true;
		r = undone_keep(ws, ws->new_fd, own.text, journal.lines[i].path, journal.lines[i].number);
		if (r < 0)
			return workspace_fail(ws, r, "keep what was", journal.lines[i].path);
	}
	return r < 0 || !kept ? r : durable_workspace(ws);
}

static int remove_file(const struct workspace *ws, const char *name)
{
	return unlinkat(ws->rebase_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int workspace_sweep(struct workspace *ws)
{
	int r = keep_own(ws);

	if (r < 0)
		return r;
	r = tree_remove(ws->rebase_fd, WORKSPACE_NEW);
	if (r == 0)
		r = tree_remove(ws->rebase_fd, WORKSPACE_UNDO);
	if (r == 0)
		r = tree_remove(ws->rebase_fd, WORKSPACE_SCRATCH);
	if (r == 0)
		r = remove_file(ws, WORKSPACE_JOURNAL_NEW);
	if (r == 0)
		r = remove_file(ws, WORKSPACE_JOURNAL_UNDONE);
	if (r == 0 && unlinkat(ws->container_fd, WORKSPACE, AT_REMOVEDIR) < 0 && errno != ENOTEMPTY && errno != EEXIST)
		r = -errno;
	return r < 0 ? fail_errno(ws->ctx, r, "cannot remove what a rebase of container '%s' left in " WORKSPACE "/",
				  ws->name)
		     : 0;
}

/* ---- undo and confirm ---- */

int transaction_undo(struct lb_context *ctx, int container_fd, const char *name)
{
	CLEANUP_WORKSPACE struct workspace ws = WORKSPACE_CLOSED;
	CLEANUP_JOURNAL struct journal journal = { 0 };
	int r = workspace_open(ctx, container_fd, name, false, &ws);

	if (r < 0)
		return r;
	if (r > 0)
		return 1;
	if (!workspace_has(ws.rebase_fd, WORKSPACE_JOURNAL))
		return has_rest(&ws) ? workspace_sweep(&ws) : 1;
	r = read_journal(&ws, WORKSPACE_JOURNAL, &journal);
	return r < 0 ? r : undo_by(&ws, &journal);
}

/* Without its journal it is nothing but rubbish; that must be so on disk, too, before any of it goes. */
int transaction_confirm(struct lb_context *ctx, int container_fd, const char *name)
{
	CLEANUP_WORKSPACE struct workspace ws = WORKSPACE_CLOSED;
	int r = workspace_open(ctx, container_fd, name, false, &ws);

	if (r < 0)
		return r;
	if (r > 0 || !has_rest(&ws))
		return 1;
	if (workspace_has(ws.rebase_fd, WORKSPACE_JOURNAL)) {
		r = remove_file(&ws, WORKSPACE_JOURNAL);
		if (r < 0)
			return fail_errno(ctx, r, "cannot remove the journal of the rebase of container '%s'", name);
		r = durable_workspace(&ws);
		if (r < 0)
			return r;
	}
	return workspace_sweep(&ws);
}
