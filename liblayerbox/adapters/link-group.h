/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deleting many veths at once. The kernel waits out readers of each deleted interface, 10 to 20 ms during which
 * nobody else can change the network; of a whole group of interfaces it waits once.
 */
#pragma once

#include <pthread.h>

#include "../core/context.h"

/* A deletion that goes on beside what its owner does. */
struct link_deletion {
	struct nl_sock *sock;
	uint32_t group;
	int result;
	pthread_t thread;
	bool has_thread;
};

/*
 * Begins to delete those of the veths called @names (NULL-terminated) that there are, with their other ends, in one
 * request: from now on whoever wants to delete one of them waits for that, and does not find it any more.
 */
int link_deletion_begin(struct lb_context *ctx, const char *const *names, struct link_deletion *ret_deletion);

/* Waits for its end; also after a begin that failed. */
int link_deletion_end(struct lb_context *ctx, struct link_deletion *deletion);
