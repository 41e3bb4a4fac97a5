/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling that something happened to a container: in ROOT/logs/events.log, and to systemd's journal. */
#pragma once

#include "../core/context.h"

/*
 * @action:    what was done, as in events/words.c ("start"), or what happened ("unhealthy")
 * @container: its name, "" for a base or the host
 * @result:    0, or a negative code: then it is an error in the journal. 1, nothing to do, is not told.
 * @text:      a detail, the sentence of a failure (ctx->error will do), or ""
 *
 * One line appended, one datagram; nothing is waited for, and nothing becomes of it where that fails. Leaves ctx->error
 * and errno alone.
 */
void event_tell(struct lb_context *ctx, const char *action, const char *container, int result, const char *text);

/* The same with ctx->error where @result is a failure, and @detail where not. Returns @result. */
int event_of(struct lb_context *ctx, const char *action, const char *container, int result, const char *detail);
