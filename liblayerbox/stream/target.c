/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "target.h"

#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static bool take(char *member, size_t size, const char *text, size_t length, const char *allowed)
{
	if (length < 1 || length >= size || *text == '-' || strspn(text, allowed) < length)
		return false;
	memcpy(member, text, length);
	member[length] = '\0';
	return true;
}

/* Behind the host: nothing, or :PORT, and perhaps a slash. */
static bool take_port(struct target *target, const char *rest)
{
	size_t length = strcspn(rest, "/");
	uint64_t number;

	if (!text_equal(rest + length, "") && !text_equal(rest + length, "/"))
		return false;
	if (length == 0)
		return true;
	return *rest == ':' && take(target->port, sizeof target->port, rest + 1, length - 1, "0123456789") &&
	       text_to_number(target->port, 1, UINT16_MAX, &number);
}

static bool parse(const char *text, struct target *target)
{
	const char *host = text_after(text, "ssh://"), *at = host ? strchr(host, '@') : NULL;
	size_t length;

	if (!host)
		return false;
	if (at && !take(target->user, sizeof target->user, host, (size_t)(at - host), ALPHANUMERIC "._-"))
		return false;
	host = at ? at + 1 : host;
	if (*host == '[') {
		length = strcspn(++host, "]");
		return host[length] &&
		       take(target->host, sizeof target->host, host, length, "0123456789abcdefABCDEF:.") &&
		       take_port(target, host + length + 1);
	}
	length = strcspn(host, ":/");
	return take(target->host, sizeof target->host, host, length, ALPHANUMERIC "._-") &&
	       take_port(target, host + length);
}

int target_parse(struct lb_context *ctx, const char *text, struct target *ret_target)
{
	struct target target = { 0 };
	char shown[80];

	if (!parse(text, &target)) {
		snprintf(shown, sizeof shown, "%.70s", text);
		return fail(ctx, -LB_ERR_BAD_VALUE,
			    "\"%s\" is no place to move to; that is written ssh://[USER@]HOST[:PORT]",
			    text_printable(shown));
	}
	*ret_target = target;
	return 0;
}

int target_words(const struct target *target, const char *ssh, const char *const *command, struct text_list *words)
{
	int r = text_list_add_words(words, ssh);

	if (r == 0 && *target->port)
		r = text_list_add(words, "-p") < 0 ? -ENOMEM : text_list_add(words, target->port);
	if (r == 0 && *target->user)
		r = text_list_add(words, "-l") < 0 ? -ENOMEM : text_list_add(words, target->user);
	if (r == 0)
		r = text_list_add(words, "--") < 0 ? -ENOMEM : text_list_add(words, target->host);
	for (; r == 0 && *command; command++)
		r = strspn(*command, ALPHANUMERIC "._-@=:,/+") != strlen(*command) || !**command ? -EINVAL :
			      text_list_add(words, *command);
	return r;
}
