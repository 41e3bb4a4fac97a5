/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container's rebase/ and its top layer, opened: what lies where, and how a path of the layer is reached. */
#pragma once

#include <stdbool.h>

#include "../core/context.h"

#define WORKSPACE "rebase"
#define WORKSPACE_NEW "new"                     /* prepared entries, by number */
#define WORKSPACE_UNDO "undo"                   /* what was moved out of the top layer, by number */
#define WORKSPACE_SCRATCH "finish"              /* layers that the container's programs work in, see finish.h */
#define WORKSPACE_UNDONE "undone"               /* what an undo displaced, by path */
#define WORKSPACE_OPAQUE "trusted.overlay.opaque" /* overlayfs's mark of a directory that hides the base's */
#define WORKSPACE_JOURNAL "journal"             /* there: the switch has begun */
#define WORKSPACE_JOURNAL_NEW "journal.new"     /* being written */
#define WORKSPACE_JOURNAL_UNDONE "journal.undone" /* there: all is back, and new/ may hold what has to be kept */

/* Of what an undo moved from the top layer into new/, this was changed there by the container: NUMBER.own */
#define WORKSPACE_OWN ".own"

/* "4294967295.own" */
struct workspace_name {
	char text[24];
};

struct workspace {
	struct lb_context *ctx;
	char *name;                   /* of the container, for sentences */
	int container_fd, rebase_fd, top_fd;
	int new_fd, undo_fd;          /* -1 where not there */
	char *parent_path;            /* the directory of the top layer that was used last, since many follow in it */
	int parent_fd;
};

/* 1 where the container has no rebase/; with @make it is made, with new/ and undo/ in it. */
int workspace_open(struct lb_context *ctx, int container_fd, const char *name, bool make, struct workspace *ret_ws);
void workspace_close(struct workspace *ws);
#define CLEANUP_WORKSPACE CLEANUP(workspace_close)
#define WORKSPACE_CLOSED                                                                                               \
	{                                                                                                              \
		.container_fd = -1, .rebase_fd = -1, .top_fd = -1, .new_fd = -1, .undo_fd = -1, .parent_fd = -1        \
	}

/*
 * The directory of the top layer that has @path, and in *ret_name the last component. The descriptor stays the
 * workspace's, until the next call. A negative errno without a sentence: -ENOENT, -ENOTDIR or -ELOOP where there is no
 * such directory.
 */
int workspace_parent(struct workspace *ws, const char *path, const char **ret_name);

/*
 * A directory of the top layer by path, "." for itself; the caller's descriptor, or a negative errno without a
 * sentence.
 */
int workspace_directory(const struct workspace *ws, const char *path);

/* Whether an errno of the two says that no directory is there, whatever else is. */
bool workspace_is_absent(int r);

/* The name of a numbered entry in new/ and undo/; @suffix "" or WORKSPACE_OWN. */
struct workspace_name workspace_number(unsigned number, const char *suffix);

/* Whether a directory has an entry of that name. */
bool workspace_has(int dir_fd, const char *name);

/* "cannot WHAT 'PATH' in the top layer of container 'NAME'", with what the errno means; makes a path printable. */
int workspace_fail(const struct workspace *ws, int error, const char *what, const char *path);
