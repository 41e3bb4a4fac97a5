/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Takes out of a tree what belongs to one machine: identities, secrets, caches, traces of its making. */
#pragma once

#include "../core/context.h"

/* What runs as a tree's first process. */
enum init_kind {
	INIT_NONE,                    /* no /sbin/init at all */
	INIT_OTHER,
	INIT_SYSTEMD,
	INIT_BUSYBOX,
};

enum init_kind init_detect(int tree_fd);

/*
 * Makes the tree generic, whoever made it: nothing in it is executed, no link leads out of it. Reports
 * secrets that it leaves in place, because services need them, as warnings to the log.
 */
int generalise(struct lb_context *ctx, int tree_fd);
