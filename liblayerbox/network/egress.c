/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "egress.h"

#include <arpa/inet.h>

static const char form[] = "must be rules such as `allow 10.0.0.0/8, deny all`: allow or deny, each with an IPv4 or "
			   "IPv6 address, a prefix, or `all`";
static const char no_memory[] = "could not be kept: out of memory";

static bool has_host_bits(const uint8_t *address, size_t bytes, unsigned prefix)
{
	for (size_t i = 0; i < bytes; i++) {
		unsigned kept = prefix >= 8 * (i + 1) ? 8 : prefix > 8 * i ? prefix - 8 * (unsigned)i : 0;

		if (address[i] & (0xff >> kept))
			return true;
	}
	return false;
}

/* Brings an address or prefix to one spelling. */
static const char *parse_cidr(char *text, char ret_cidr[EGRESS_CIDR_SIZE])
{
	char *length = strchr(text, '/'), address[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	unsigned bits = family == AF_INET6 ? 128 : 32;
	uint64_t prefix = bits;

	if (length)
		*length++ = '\0';
	if (inet_pton(family, text, bytes) != 1 || (length && !text_to_number(length, 0, bits, &prefix)))
		return form;
	if (has_host_bits(bytes, bits / 8, (unsigned)prefix))
		return "must not have host bits behind the prefix: 10.0.0.0/8, not 10.0.0.1/8";
	inet_ntop(family, bytes, address, sizeof address);
	snprintf(ret_cidr, EGRESS_CIDR_SIZE, prefix < bits ? "%s/%u" : "%s", address, (unsigned)prefix);
	return NULL;
}

static const char *add(struct egress_list *list, bool allow, const char *cidr)
{
	struct egress_rule *items;

	if (list->count == EGRESS_RULES_MAX)
		return "must not be more than 64 rules";
	for (size_t i = 0; i < list->count; i++)
		if (text_equal(list->items[i].cidr, cidr))
			return "must not name an address or prefix twice: only the first rule for it would count";
	items = reallocarray(list->items, list->count + 1, sizeof *items);
	if (!items)
		return no_memory;
	list->items = items;
	list->items[list->count].allow = allow;
	text_copy(list->items[list->count++].cidr, EGRESS_CIDR_SIZE, cidr);
	return NULL;
}

static const char *parse_rule(struct egress_list *list, char *text)
{
	const char *word = strsep(&text, " \t"), *why;
	char cidr[EGRESS_CIDR_SIZE];
	bool allow = text_equal(word, "allow");

	if (!text || (!allow && !text_equal(word, "deny")))
		return form;
	text = text_trim(text);
	if (text_equal(text, "all")) {
		why = add(list, allow, "0.0.0.0/0");
		return why ? why : add(list, allow, "::/0");
	}
	why = parse_cidr(text, cidr);
	return why ? why : add(list, allow, cidr);
}

const char *egress_list_parse(const char *text, struct egress_list *ret_list)
{
	CLEANUP_EGRESS_LIST struct egress_list list = { 0 };
	CLEANUP_FREE char *copy = strdup(text);
	char *rest = copy;
	const char *why = copy ? NULL : no_memory;

	while (!why && *text && rest)
		why = parse_rule(&list, text_trim(strsep(&rest, ",")));
	if (why)
		return why;
	*ret_list = list;
	list = (struct egress_list){ 0 };
	return NULL;
}

char *egress_list_format(const struct egress_list *list)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	for (size_t i = 0; i < list->count; i++)
		buffer_format(&text, "%s%s %s", i ? ", " : "", list->items[i].allow ? "allow" : "deny",
			      list->items[i].cidr);
	return buffer_finish(&text);
}

void egress_list_free(struct egress_list *list)
{
	free(list->items);
	*list = (struct egress_list){ 0 };
}
