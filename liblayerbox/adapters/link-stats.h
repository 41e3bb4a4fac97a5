/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What went through the host's network interfaces: one question to the kernel for all of them. */
#pragma once

#include "../core/context.h"

struct link_counters {
	uint64_t bytes, packets, errors, dropped;
};

/* As the host sees it: what the other end of a veth sent was received by the host's. */
struct link_stats {
	char name[16];
	struct link_counters received, sent;
};

struct link_stats_list {
	struct link_stats *items;     /* sorted by name */
	size_t count, capacity;
};

int link_stats_load(struct lb_context *ctx, struct link_stats_list *ret_list);

/* The interface of that name, or NULL. */
const struct link_stats *link_stats_find(const struct link_stats_list *list, const char *name);

void link_stats_free(struct link_stats_list *list);
