/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a number would belong to two accounts: one that only the container has, and one that the new base brings. */
#pragma once

#include "account-line.h"

struct account_number {
	struct slice name;
	uint64_t number, end;         /* the end is that of a range, and means nothing for others */
	bool in_new, in_own;          /* who has this account with this number: one of them at least */
};

/* Grows; a failed allocation is kept, as in struct buffer. Zero-initialise. */
struct account_numbers {
	struct account_number *items;
	size_t count, capacity;
	bool failed;
};

void account_numbers_add(struct account_numbers *numbers, struct account_number number);

/* Sorts them, and reports conflicts. Accounts that shared a number in the container, or in the new base, may go on. */
void account_numbers_check(struct account_numbers *numbers, const struct account_form *form, struct report *report);

void account_numbers_free(struct account_numbers *numbers);

#define CLEANUP_ACCOUNT_NUMBERS CLEANUP(account_numbers_free)
