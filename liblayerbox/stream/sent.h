/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which snapshots of a container that is being moved the other side has. Until the last part begins others make and
 * delete some: what is made is sent, too, and what goes here goes there.
 */
#pragma once

#include "../snapshot/snapshot.h"

enum { SENT_FORGET_SIZE = 2048 };

struct sent {
	struct text_list labels;      /* that it has, oldest first */
	struct sent_state {
		int64_t created, expires;
	} *states;                    /* of each of them */
	size_t capacity;
	struct text_list gone;        /* that it has, and that were deleted here since */
};

void sent_free(struct sent *sent);

/* The other side has it. */
int sent_add(struct lb_context *ctx, const struct lb_snapshot *snapshot, struct sent *sent);

/*
 * Compares with what there is now. *ret_next: the first that the other side has not, or NULL. -LB_ERR_CONFLICT where
 * what it has was changed since.
 */
int sent_compare(struct lb_context *ctx, struct lb_snapshot *const *snapshots, struct sent *sent,
		 const struct lb_snapshot **ret_next);

/*
 * Labels that the other side is to forget at the end, with commas between them; "-" where there are none. @label: one
 * more, or "". What does not fit stays there as a snapshot.
 */
void sent_to_forget(const struct sent *sent, const char *label, char ret_text[SENT_FORGET_SIZE]);
