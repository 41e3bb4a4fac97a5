/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What containers take now: read from the kernel where it counts it anyway, and nothing is asked of the containers. */
#pragma once

#include "../adapters/cgroup-usage.h"
#include "../adapters/link-stats.h"
#include "../container/container.h"
#include "layer-sizes.h"

/* What is read once for all containers. */
struct usage_source {
	struct cgroup_meters meters;
	struct link_stats_list links;
	struct layer_sizes sizes;
	int64_t booted;
};

int usage_source_open(struct lb_context *ctx, struct usage_source *ret_source);
void usage_source_close(struct usage_source *source);

/* 1 where the container does not run. */
int usage_read(struct usage_source *source, struct lb_container *container, struct lb_usage *ret_usage);
