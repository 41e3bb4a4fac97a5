/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a container that was started is as its boot.wait asks for. */
#pragma once

#include "../container/record.h"

enum { READY_TEXT_SIZE = 64 };

/*
 * Blocks until it is so, for at most @timeout_s (0: the default of 60). 0, and what it has come to in *ret_text, such
 * as its address, or "". -LB_ERR_TIMEOUT, or -LB_ERR_NOT_RUNNING when it has ended.
 */
int ready_wait(struct lb_context *ctx, const char *name, enum boot_wait wait, unsigned timeout_s,
	       char ret_text[READY_TEXT_SIZE]);
