/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of a snapshot, or of a container as it is, opened to be read for a while. Nothing is made for it: what runs
 * may change meanwhile, unlike with state_keep().
 */
#pragma once

#include "../base/base.h"
#include "layer.h"
#include "snapshot.h"

struct sight {
	char what[NAME_LENGTH_MAX + LABEL_SIZE + 64]; /* "snapshot 'x' of container 'a'", for sentences */
	char base[BASE_TEXT_SIZE];    /* NAME@GENERATION */
	struct chain layers;
	struct chain_trees trees;     /* topmost first, the base's last; a container's own top layer is the first */
	bool present;                 /* the container itself */
	int base_fd, generation_fd;   /* as from base_hold() */
};

#define SIGHT_EMPTY { .base_fd = -1, .generation_fd = -1 }
#define CLEANUP_SIGHT CLEANUP(sight_close)

/*
 * @label NULL: the container itself. Nothing of it is swept until sight_close(). Takes no lock, since whoever makes a
 * live snapshot has the container's for as long as that takes.
 */
int sight_open(struct lb_context *ctx, const char *container, const char *label, struct sight *ret_sight);

/* The same for who holds the container's lock. */
int sight_open_locked(struct lb_context *ctx, int container_fd, const char *container, const char *label,
		      struct sight *ret_sight);

void sight_close(struct sight *sight);
