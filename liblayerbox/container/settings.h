/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys of `layerbox set` and `get`, which stand in a record by the same names: what each is called, what it can be,
 * and where in struct record it is kept. A new setting is a member there, and a line in the table here.
 */
#pragma once

#include "record.h"

enum setting_kind {
	SETTING_LINE,                 /* char *: one line of text; NULL or "": not set */
	SETTING_YES,                  /* bool: yes, or nothing */
	SETTING_YES_NO,               /* bool: yes or no */
	SETTING_NUMBER,               /* uint64_t between 1 and max; 0: not set */
	SETTING_SECONDS,              /* uint64_t seconds, written 90s, 10m, 12h, 7d; 0: not set */
	SETTING_WORD,                 /* unsigned: which of words, of which the first is "": not set */
	SETTING_OWN,                  /* whatever its functions make of it */
	SETTING_NAMED,                /* many, by names of the operator's: only settings_set() and settings_get() know them */
};

struct setting_key {
	const char *name;
	enum setting_kind kind;
	size_t member;                /* its offset in struct record */
	const char *(*check)(const char *value); /* of a line that is not empty: NULL or why it cannot be */
	uint64_t max;
	const char *const *words;     /* ended by NULL */
	const char *(*set_own)(struct record *record, const char *value);
	char *(*get_own)(const struct record *record);
	bool is_limit;                /* is enforced by a cgroup controller */
	bool is_firewall;             /* is enforced by the firewall of the container's network */
	bool is_uplink;               /* is enforced where the container is linked to its network */
	bool is_order;                /* names others, and is checked under the root's lock */
	bool at_start;                /* takes effect when the container is started the next time */
	bool (*is_of_host)(const char *value); /* does it say what the host does? Then no stream may bring it; NULL: no */
};

/* All keys but those with names of the operator's in them, ended by one without a name. */
const struct setting_key *settings_keys(void);

/* The key of that name, or NULL. One for all mount.NAME. */
const struct setting_key *settings_find(const char *name);

/* Takes @value ("" takes the setting away); NULL or why it cannot be ("must be yes or no"). */
const char *setting_set(const struct setting_key *key, struct record *record, const char *value);

/* As text in one normal form, "" when not set; the caller's, NULL without memory. */
char *setting_get(const struct setting_key *key, const struct record *record);

/*
 * The names of what @record can have set: all keys, and what it has with names of the operator's. NULL behind the
 * last.
 */
const char *settings_name(const struct record *record, size_t index);

/* setting_set() and setting_get() for whatever settings_find() knows, by its whole name. */
const char *settings_set(struct record *record, const char *name, const char *value);
char *settings_get(const struct record *record, const char *name);

/*
 * Takes away what says what the host does, as that may not come from another host; *ret_taken has KEY=VALUE of each.
 * -ENOMEM.
 */
int settings_take_of_host(struct record *record, struct text_list *ret_taken);

/* Frees what @record has of them. */
void settings_free(struct record *record);
