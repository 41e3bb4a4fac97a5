/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of the files that accounts are made of: which fields they have, and what these are. */
#pragma once

#include "../util/text.h"
#include "accounts.h"

enum { ACCOUNT_FIELDS_MAX = 9 };

struct account_form {
	const char *path;
	const char *what;             /* whose lines they are: "user", "group" */
	size_t fields;                /* how many; 0: no accounts, each line stands for itself */
	size_t number;                /* which one is the account's number; 0: none */
	bool ranges;                  /* subordinate ids: first and count in the second and third field */
	unsigned sets;                /* bits: fields that are sets of names */
	unsigned quiet;               /* bits: fields that say nothing by themselves */
	const char *names[ACCOUNT_FIELDS_MAX];
	const char *change_number;    /* the program that changes the number */
};

const struct account_form *account_form(enum account_file file);

struct account_line {
	struct slice fields[ACCOUNT_FIELDS_MAX]; /* the first one is the name */
	uint64_t number;              /* or the first of a range */
	uint64_t end;                 /* behind the last of a range */
};

/* False for what is no account: remarks, entries of NIS, lines that have not all fields or no number. */
bool account_line_read(const struct account_form *form, struct slice line, struct account_line *ret_line);

/* A name as it can be shown: printable, and no longer than names are. */
struct account_name {
	char text[72];
};

struct account_name account_name(struct slice name);
