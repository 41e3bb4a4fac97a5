/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How fast frames may leave an interface: the kernel's token bucket (tc-tbf(8)) as its root queue. */
#pragma once

#include "../core/context.h"

/*
 * Bounds what leaves the interface to @bits_per_second, whole Ethernet frames counted; a rate that is there is changed
 * while traffic flows. 0, or 1 when it was so already. -LB_ERR_KERNEL where the kernel has no token bucket.
 */
int tc_set_rate(struct lb_context *ctx, const char *name, uint64_t bits_per_second);

/* Back to no queue at all. 1 when there was no rate; a queue that somebody else has put there stays. */
int tc_remove_rate(struct lb_context *ctx, const char *name);

/* In bits per second, 0 where tc_set_rate() has not set one. */
int tc_get_rate(struct lb_context *ctx, const char *name, uint64_t *ret_bits_per_second);

/* What the token bucket is made of, from a rate and the interface's MTU; for the unit test. */
struct tc_bucket {
	uint64_t bytes_per_second;
	uint32_t burst, limit;        /* bytes */
};

struct tc_bucket tc_make_bucket(uint64_t bits_per_second, unsigned mtu);
