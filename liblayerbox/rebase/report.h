/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a plan says, item by item, while it is being made. */
#pragma once

#include "../layerbox.h"
#include "../util/text.h"

/* Grows; a failed allocation is kept and shows at the end, as in struct buffer. Zero-initialise. */
struct report {
	struct lb_rebase_item *items; /* each owns its strings */
	size_t count, capacity;
	size_t conflicts;             /* how many of them have the outcome LB_REBASE_CONFLICT */
	bool failed;
};

/*
 * Adds an item with a formatted sentence, and returns it for whoever fills its other members (with strings from
 * malloc(3), which become the report's); valid until the next one is added. Never NULL: without memory, it is a spare
 * one.
 */
struct lb_rebase_item *report_add(struct report *report, enum lb_rebase_kind kind, enum lb_rebase_outcome outcome,
				  const char *subject, const char *format, ...) PRINTF_LIKE(5, 6);

/* Takes back what was said since there were so many items and conflicts. */
void report_cut(struct report *report, size_t count, size_t conflicts);

void report_free(struct report *report);
