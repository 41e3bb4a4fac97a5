/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * passwd(5), shadow(5), group(5), gshadow(5), subuid(5), subgid(5) and shells(5), merged by entry. Nobody ever gets
 * another number: where one would belong to two accounts, or one account would have two, that is a conflict.
 */
#pragma once

#include "report.h"
#include "three.h"

enum account_file {
	ACCOUNT_PASSWD,
	ACCOUNT_SHADOW,
	ACCOUNT_GROUP,
	ACCOUNT_GSHADOW,
	ACCOUNT_SUBUID,
	ACCOUNT_SUBGID,
	ACCOUNT_SHELLS,
	ACCOUNT_FILES,
};

/* "etc/passwd" ... */
const char *account_file_path(enum account_file file);

/*
 * Merges all of them. ret_texts[i], the caller's, is NULL where neither side has that file. Members of groups are
 * merged as sets. 0, or -ENOMEM.
 */
int accounts_merge(const struct three_texts texts[ACCOUNT_FILES], struct report *report,
		   char *ret_texts[ACCOUNT_FILES]);
