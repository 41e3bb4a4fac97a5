/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program that writes and reads streams, and what its results mean. Its words are in docs/streams.md. */
#pragma once

#include "../core/context.h"

/* Has it write what @plan says to @fd. -EPIPE where nobody reads on. */
int helper_pack(struct lb_context *ctx, const char *plan, bool masked, int fd);

/*
 * Has it read a stream from @fd into the directory @staging. When the small members are there, @on_ready is called and
 * writes to @answer_fd what the helper may take; a failure of it, whose sentence is kept, ends the reading.
 */
typedef int (*helper_ready_fn)(int answer_fd, void *userdata);
int helper_unpack(struct lb_context *ctx, const char *staging, int fd, helper_ready_fn on_ready, void *userdata);
