/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Three lists of entries with a key each, laid side by side: what all three-way merges by entry have in common. */
#pragma once

#include <stdint.h>

#include "../util/text.h"
#include "three.h"

enum entry_side {
	ENTRY_OLD,
	ENTRY_NEW,
	ENTRY_OWN,
	ENTRY_SIDES,
};

/* What is in it belongs to whoever added it. */
struct list_entry {
	struct slice key, text;
	uint8_t side;
	uint8_t kind;                 /* the same key is another one in another kind */
	size_t position;              /* among all that were added */
};

/* Grows; a failed allocation is kept, as in struct buffer. Zero-initialise. */
struct entries {
	struct list_entry *items;
	size_t count, capacity;
	bool failed;
};

void entries_add(struct entries *entries, enum entry_side side, uint8_t kind, struct slice key,
		 struct slice text);
void entries_free(struct entries *entries);

#define CLEANUP_ENTRIES CLEANUP(entries_free)

/* By kind, key, side, and the order they were added in. */
void entries_sort(struct entries *entries);

/* One key in all three; NULL where a side has it not. */
struct entry_row {
	const struct list_entry *sides[ENTRY_SIDES];
	uint8_t kind;
};

/*
 * The rows, the caller's, in the new base's order with the container's own behind, and what only the old one had last.
 * Sorts @entries, into which the rows point. Of a key that a side has several times, the first ones are matched, the
 * second ones, and so on. 0, or -ENOMEM.
 */
int entries_align(struct entries *entries, struct entry_row **ret_rows, size_t *ret_count);

/* The entry of the side that changed it; the container's where both did. NULL: it has none. */
const struct list_entry *entry_row_take(const struct entry_row *row);

bool entry_same_key(const struct list_entry *a, const struct list_entry *b);

/* Is that in both, or in neither? */
bool entries_same(const struct list_entry *a, const struct list_entry *b);

/* The text of a side as a piece: empty where there is none. */
struct slice three_side(const struct three_texts *texts, enum entry_side side);

/*
 * Where a side did not change the text as a whole, or both did the same: the text to take, and true. NULL stands for no
 * text, and is taken like one.
 */
bool three_take_whole(const struct three_texts *texts, const char **ret_text);
