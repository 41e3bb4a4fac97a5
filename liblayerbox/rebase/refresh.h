/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* refresh.base: whether a start takes the newest generation of the container's base first. */
#pragma once

#include "../container/record.h"

enum refresh {
	REFRESH_NOT,                  /* it need not, shall not, or has been tried */
	REFRESH_WAITS,                /* until a rebase that was asked for is confirmed or undone: its way back would be lost */
	REFRESH_DUE,
};

/*
 * Looks at numbers only: no base is opened, nor anything planned. *ret_to is NAME@GENERATION where it waits or is due.
 * A base that cannot be read is none to go to.
 */
enum refresh refresh_get(struct lb_context *ctx, const struct record *record, char ret_to[BASE_TEXT_SIZE]);

/* Would the same happen again with the same generation? */
bool refresh_is_refusal(int result);
