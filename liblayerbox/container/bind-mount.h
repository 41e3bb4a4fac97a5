/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounting files of the host into a container's root, and what has to be so that it is safe. */
#pragma once

#include "record.h"

/*
 * Opens what @bind mounts (O_PATH) and looks whether it may be: it is a directory or a regular file, there is no link
 * in its path, it has nothing to do with layerbox's root, and nobody on the host gets at what a container may write.
 * -LB_ERR_BAD_VALUE with a sentence that begins with the key.
 */
int bind_open_source(struct lb_context *ctx, const struct bind *bind, int *ret_fd);

/*
 * Mounts all that @record has into the root @root_fd, which is mounted in a mount namespace of the caller's own: with
 * the container's ids, nosuid and nodev. What is missing of a target is made. For single-threaded helper processes.
 */
int binds_mount(struct lb_context *ctx, const struct record *record, int root_fd);
