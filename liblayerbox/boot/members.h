/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All containers, as far as it matters for starting or stopping them all. */
#pragma once

#include "../container/record.h"

struct boot_member {
	char name[NAME_LENGTH_MAX + 1];
	bool autostart;
	bool runs;
	bool no_answer;               /* its monitor does not say whether it runs */
	bool holds_up;                /* its start would hold up others, for that or because it is rebased first */
	struct text_list after;
	uint64_t priority, delay_s;
	enum boot_wait wait;
	unsigned timeout_s;
	int error;                    /* its record cannot be read: the code, and nothing else is known */
	char *why;
};

/* By name; members_free() them. Whoever has a monitor runs, also one that does not answer or is about to end. */
int members_load(struct lb_context *ctx, struct boot_member **ret_members, size_t *ret_count);

/* Asks their monitors whether they run, and finds those that do not answer. */
int members_ask(struct lb_context *ctx, struct boot_member *members, size_t count);
void members_free(struct boot_member *members, size_t count);

/* Keeps those for which @wanted holds, frees the others; how many are left. */
size_t members_keep(struct boot_member *members, size_t count, bool (*wanted)(const struct boot_member *member));
