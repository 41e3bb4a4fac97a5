/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ROOT/logs/NAME/console.log: what a container prints on its console, its init above all. LXC's monitor writes it, and
 * makes it console.log.1 when it is full; the container has only its end of a terminal.
 */
#pragma once

#include "../core/context.h"

#define CONSOLE_LOG "console.log"
#define CONSOLE_LOG_BEFORE "console.log.1"

/* Before a start: makes it where it is missing, for the same readers as ROOT/logs. 0, or a failure. */
int console_log_prepare(struct lb_context *ctx, const char *name);

/* It goes with its container, quietly: what is left is removed when a container of that name is created. */
void console_log_rename(struct lb_context *ctx, const char *name, const char *new_name);
void console_log_remove(struct lb_context *ctx, const char *name);

/* LXC makes each new file for root alone: opens them to readers again. */
void console_logs_mend(struct lb_context *ctx);
