/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mail.h"

#include <ctype.h>
#include <string.h>

/* Neither quoting nor comments of RFC 5322: no more than what stays one word wherever it goes. */
static const char *address_end(const char *address)
{
	const char *at = NULL, *p = address;

	for (; *p && *p != ' '; p++) {
		if (*p == '@' && (at || p == address))
			return NULL;
		if (*p == '@')
			at = p;
		else if (!isalnum((unsigned char)*p) && !strchr("._%+-", *p))
			return NULL;
	}
	return p == address || *address == '-' || (at && p == at + 1) ? NULL : p;
}

const char *mail_check(const char *value)
{
	const char *end;

	do {
		end = address_end(value);
		if (!end)
			return "must be addresses such as admin@example.org, with a space between each two";
		value = end + 1;
	} while (*end);
	return NULL;
}
