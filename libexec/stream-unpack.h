/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream from a descriptor into an empty directory. Nothing in it is trusted; what comes is what the plan announces.
 */
#pragma once

#include <stdint.h>

#include "core/chain.h"
#include "stream-error.h"

/* A layer that is accepted. */
struct stream_layer {
	char id[LAYER_ID_SIZE];
	bool over;                    /* layers/ID/rootfs-layer is there: what comes is the difference to it */
	bool begun;                   /* it came, or is coming */
};

struct stream_plan {
	struct stream_layer *layers;
	size_t count, capacity;
	bool base;
	bool privileged;
	uint64_t entries_max;
};

enum { STREAM_ENTRIES_MAX = 50000000 };

#define STREAM_PLAN_EMPTY { .entries_max = STREAM_ENTRIES_MAX }
#define CLEANUP_STREAM_PLAN CLEANUP(stream_plan_free)

int stream_plan_add(struct stream_plan *plan, const char *id, bool over);
void stream_plan_free(struct stream_plan *plan);

/*
 * Called once, when the small members are in the directory: says what else is accepted. A negated status with a
 * sentence ends it all.
 */
typedef int (*stream_plan_fn)(void *userdata, struct stream_plan *plan, struct stream_error *error);

/* 0 when all of it came, unharmed, and nothing behind it. What a failure leaves is the caller's to remove. */
int stream_unpack(int fd, int dir_fd, stream_plan_fn fn, void *userdata, struct stream_error *error);
