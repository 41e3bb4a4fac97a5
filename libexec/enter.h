/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Becoming root of a container: the calling process ends up in the container's user namespace with the
 * container's / as its own, so that every path it uses and every right it has is the container's. It does
 * not join the pid namespace: nobody in the container can see or trace it.
 *
 * For a child process that exits afterwards; there is no way back.
 */
#pragma once

#include "core/context.h"

/* Enters the container, mounting its root first where it does not run; the caller holds its lock then. */
int enter_container(struct lb_context *ctx, const char *name);
