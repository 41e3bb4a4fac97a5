/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In which order containers are started: who may begin now, given who is through, and when the next delay is over.
 * docs/care.md, "start-all". Pure: it knows neither clock nor containers.
 */
#pragma once

#include <stdint.h>

#include "../util/text.h"

enum order_state {
	ORDER_WAITS,                  /* has not begun */
	ORDER_BEGUN,                  /* is being started, or waited for to be ready */
	ORDER_THROUGH,                /* is ready, has failed, or took too long: those that come after it may begin */
};

/* A container that has its place in the order; it must stay as long as the order does. */
struct order_member {
	const char *name;
	uint64_t priority;            /* of those who may begin, higher ones first, then by name */
	const struct text_list *after; /* names; who is no member is not waited for. NULL: none */
	uint64_t delay_ms;            /* from when these are through, or from the beginning */
	enum order_state state;       /* at the beginning */
};

struct order;

enum { ORDER_NOBODY = -1, ORDER_NEVER = -1 };

/* Where members come after each other in a cycle, the first one by name does not wait. -ENOMEM. */
int order_make(const struct order_member *members, size_t count, int64_t now_ms, struct order **ret_order);
void order_free(struct order **order);

/* Who may begin now, an index of members, and is taken to have begun from then on; or ORDER_NOBODY. */
ssize_t order_next(struct order *order, int64_t now_ms);

/* When the next delay is over, so that somebody may begin although nobody else comes through; or ORDER_NEVER. */
int64_t order_due(const struct order *order);

/* From now on nobody waits for others, or for a delay. */
void order_drop(struct order *order);

/* The names of those who do not wait for all that they are to come after, because of a cycle. */
const struct text_list *order_get_broken(const struct order *order);

/* It is ready, or will not be. */
void order_through(struct order *order, size_t index, int64_t now_ms);

/* How many have not begun, or are not through. */
size_t order_left(const struct order *order);

/*
 * Is there a cycle that @name is part of? 1, and its names in the order in which each comes after the next, @name first
 * and not again at the end; 0, or -ENOMEM.
 */
int order_find_cycle(const struct order_member *members, size_t count, const char *name, struct text_list *ret_names);

/* "a comes after b, b after c, c after a"; the caller's, NULL without memory. */
char *order_cycle_text(const struct text_list *names);

#define CLEANUP_ORDER CLEANUP(order_free)
