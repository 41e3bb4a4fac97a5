/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where connections from a container may go to, as its record has it: `net.rules = allow CIDR, deny CIDR, ...`. The
 * first rule that matches decides, and what none matches may. Text and values only.
 */
#pragma once

#include "../util/text.h"

enum {
	EGRESS_CIDR_SIZE = 50,        /* an IPv6 address with /128 */
	EGRESS_RULES_MAX = 64,        /* of one container */
};

struct egress_rule {
	bool allow;
	char cidr[EGRESS_CIDR_SIZE];  /* in one spelling; a single address without /32 or /128 */
};

struct egress_list {
	struct egress_rule *items;
	size_t count;
};

/*
 * Reads what stands between commas, "" for none; `all` is 0.0.0.0/0 and ::/0. NULL, or why not ("must be ...");
 * *ret_list is the caller's.
 */
const char *egress_list_parse(const char *text, struct egress_list *ret_list);

/* The list as text, "" where it is empty; the caller's, NULL without memory. */
char *egress_list_format(const struct egress_list *list);

void egress_list_free(struct egress_list *list);

#define CLEANUP_EGRESS_LIST CLEANUP(egress_list_free)
