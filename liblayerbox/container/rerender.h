/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of a top layer that hold the container's name or address, when these change. */
#pragma once

#include "render.h"

/*
 * Renders every file of templates/rootfs (and rootfs-static) that differs between @old and @new anew, in the
 * container's directory, where it still is what was rendered for @old: what the customer has made of it stays theirs,
 * and the log says so.
 */
int rerender_rootfs(struct lb_context *ctx, int directory_fd, const struct record *record,
		    const struct rootfs_values *old, const struct rootfs_values *new);

/* The same into top layer @top_fd, for files as they are in @seen_fd: a tree that shows what is below it, too. */
int rerender_rootfs_into(struct lb_context *ctx, int top_fd, int seen_fd, const struct rootfs_values *old,
			 const struct rootfs_values *new, bool is_static);

/* Writes a file into @top_fd, where the directories of @path are as in @seen_fd; not where these are something else. */
int rerender_write(struct lb_context *ctx, int top_fd, int seen_fd, const char *path, const char *text, mode_t mode);

/*
 * Opens layers of a chain and above them @top_fd (-1: none) as one tree, without a base: what a container has of its
 * own. -ENOENT, without a sentence, where there are no layers at all.
 */
int rerender_open_seen(struct lb_context *ctx, const struct chain *layers, int top_fd);
