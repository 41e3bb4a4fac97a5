/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A state of a container that does not change while it is read: a snapshot, or what the container is now. */
#pragma once

#include "layer.h"
#include "snapshot.h"

/*
 * state_keep() with a label: that snapshot. With NULL: one that is made of what the container is now, under the label
 * PURPOSE-TIME, with an expiry of a day, and that state_release() deletes again; killed in between, the next
 * lb_snapshot_prune() takes it away. The trees are held: no sweep takes them away until state_release().
 * The caller holds no lock.
 */
struct state {
	struct lb_context *ctx;
	char container[NAME_LENGTH_MAX + 1];
	char label[LABEL_SIZE];
	bool temporary;
	struct snapshot_record snapshot;
	struct chain_trees trees;     /* topmost first, the base's last */
	int base_fd, generation_fd;   /* as from base_hold() */
};

#define STATE_EMPTY { .base_fd = -1, .generation_fd = -1 }
int state_keep(struct lb_context *ctx, const char *container, const char *label, const char *purpose,
	       struct state *ret_state);
void state_release(struct state *state);
#define CLEANUP_STATE CLEANUP(state_release)
