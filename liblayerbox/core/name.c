/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "name.h"

#include <net/if.h>

bool name_is_valid(const char *name)
{
	size_t n = strlen(name);

	return n >= 1 && n <= NAME_LENGTH_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n &&
	       name[0] != '-' && name[n - 1] != '-';
}

bool name_is_bridge(const char *name)
{
	size_t n = strlen(name);

	return n >= 1 && n < IFNAMSIZ && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == n &&
	       !strchr(".-", *name);
}

int name_check(struct lb_context *ctx, const char *what, const char *name)
{
	char shown[80];

	if (name && name_is_valid(name))
		return 0;
	snprintf(shown, sizeof shown, "%.70s", name ? name : "");
	return fail(ctx, -LB_ERR_BAD_NAME,
		    "\"%s\" cannot be the name of a %s: a name has 1 to 63 lower-case letters, digits and dashes, "
		    "and neither begins nor ends with a dash",
		    text_printable(shown), what);
}

int lb_name_check(struct lb_context *ctx, const char *name)
{
	return name_check(ctx, "container", name);
}

bool name_parse_base(const char *text, char ret_name[NAME_LENGTH_MAX + 1], unsigned *ret_generation)
{
	const char *at = strchr(text, '@');
	size_t n = at ? (size_t)(at - text) : 0;
	char name[NAME_LENGTH_MAX + 1];
	uint64_t generation;

	if (!at || n > NAME_LENGTH_MAX || !text_to_number(at + 1, 1, GENERATION_MAX, &generation))
		return false;
	memcpy(name, text, n);
	name[n] = '\0';
	if (!name_is_valid(name))
		return false;
	strcpy(ret_name, name);
	*ret_generation = (unsigned)generation;
	return true;
}

int name_split_base(struct lb_context *ctx, const char *text, char ret_name[NAME_LENGTH_MAX + 1],
		    unsigned *ret_generation)
{
	const char *at = strchr(text, '@');
	size_t n = at ? (size_t)(at - text) : strlen(text);
	uint64_t generation = 0;
	char name[NAME_LENGTH_MAX + 1], shown[80];

	if (n > NAME_LENGTH_MAX)
		return name_check(ctx, "base", text);
	memcpy(name, text, n);
	name[n] = '\0';
	if (!name_is_valid(name))
		return name_check(ctx, "base", text);
	if (at && !text_to_number(at + 1, 1, GENERATION_MAX, &generation)) {
		snprintf(shown, sizeof shown, "%.70s", text);
		return fail(ctx, -LB_ERR_BAD_NAME,
			    "\"%s\" does not name a base: a generation is a number from 1, as in %s@1",
			    text_printable(shown), name);
	}
	strcpy(ret_name, name);
	*ret_generation = (unsigned)generation;
	return 0;
}
