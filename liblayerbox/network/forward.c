/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "forward.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const char form[] = "must be PORT, PORT:TARGET or ADDRESS:PORT:TARGET, with /tcp or /udp behind it, such as "
			   "8883:1883/tcp; ports are from 1 to 65535, an IPv6 address stands in brackets";

static const char *check_ipv4(const struct in_addr *address)
{
	uint32_t number = ntohl(address->s_addr);

	if (number == INADDR_ANY)
		return "must not be 0.0.0.0: without an address, all of the host's are listened on";
	if (number >> 24 == IN_LOOPBACKNET)
		return "must not be a loopback address: nobody outside could reach it";
	return number >= 0xe0000000 ? "must be one address of the host" : NULL;
}

static const char *check_ipv6(const struct in6_addr *address)
{
	if (IN6_IS_ADDR_UNSPECIFIED(address))
		return "must not be the unspecified address: without one, all of the host's are listened on";
	if (IN6_IS_ADDR_LOOPBACK(address))
		return "must not be a loopback address: nobody outside could reach it";
	if (IN6_IS_ADDR_MULTICAST(address) || IN6_IS_ADDR_LINKLOCAL(address) || IN6_IS_ADDR_V4MAPPED(address))
		return "must be one address of the host, and not a link-local one";
	return NULL;
}

const char *forward_parse_listen(const char *text, char ret_listen[FORWARD_LISTEN_SIZE])
{
	struct in_addr ipv4;
	struct in6_addr ipv6;
	const char *why;

	ret_listen[0] = '\0';
	if (!*text)
		return NULL;
	if (inet_pton(AF_INET, text, &ipv4) == 1) {
		why = check_ipv4(&ipv4);
		return why || inet_ntop(AF_INET, &ipv4, ret_listen, FORWARD_LISTEN_SIZE) ? why : form;
	}
	if (inet_pton(AF_INET6, text, &ipv6) != 1)
		return "must be an IPv4 or IPv6 address of the host";
	why = check_ipv6(&ipv6);
	return why || inet_ntop(AF_INET6, &ipv6, ret_listen, FORWARD_LISTEN_SIZE) ? why : form;
}

/* Cuts the address off the front, where there is one: it has dots or stands in brackets. */
static const char *take_listen(char **cursor, char ret_listen[FORWARD_LISTEN_SIZE])
{
	char *address = *cursor, *end;

	ret_listen[0] = '\0';
	if (*address == '[') {
		end = strchr(address++, ']');
		if (!end || end[1] != ':' || !memchr(address, ':', (size_t)(end - address)))
			return form;
		*end++ = '\0';
	} else {
		end = strchr(address, ':');
		if (!memchr(address, '.', strcspn(address, ":")))
			return NULL;
		if (!end)
			return form;
		*end = '\0';
	}
	*cursor = end + 1;
	return *address ? forward_parse_listen(address, ret_listen) : form;
}

static bool parse_port(const char *text, uint16_t *ret_port)
{
	uint64_t port;

	if (!text_to_number(text, 1, UINT16_MAX, &port))
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

static const char *parse_ports(char *text, struct forward *forward)
{
	char *target = strchr(text, ':');

	if (target)
		*target++ = '\0';
	return parse_port(text, &forward->port) && (!target || parse_port(target, &forward->target_port)) ? NULL : form;
}

const char *forward_parse(const char *text, struct forward *ret_forward)
{
	struct forward forward = { 0 };
	char copy[128], *cursor = copy, *protocol;
	const char *why;

	if (!text_copy(copy, sizeof copy, text))
		return form;
	protocol = strchr(copy, '/');
	if (protocol)
		*protocol++ = '\0';
	if (protocol && !text_equal(protocol, "tcp") && !text_equal(protocol, "udp"))
		return form;
	forward.udp = protocol && text_equal(protocol, "udp");
	why = take_listen(&cursor, forward.listen);
	if (!why)
		why = parse_ports(cursor, &forward);
	if (!why)
		*ret_forward = forward;
	return why;
}

const char *forward_protocol(const struct forward *forward)
{
	return forward->udp ? "udp" : "tcp";
}

void forward_format(const struct forward *forward, struct buffer *text)
{
	bool is_ipv6 = strchr(forward->listen, ':');

	if (*forward->listen)
		buffer_format(text, is_ipv6 ? "[%s]:" : "%s:", forward->listen);
	buffer_format(text, "%u:%u/%s", forward->port, forward->target_port, forward_protocol(forward));
}

bool forward_overlaps(const struct forward *a, const struct forward *b)
{
	return a->udp == b->udp && a->port == b->port &&
	       (!*a->listen || !*b->listen || text_equal(a->listen, b->listen));
}

bool forward_equal(const struct forward *a, const struct forward *b)
{
	return a->udp == b->udp && a->port == b->port && a->target_port == b->target_port &&
	       text_equal(a->listen, b->listen);
}

/* ------------------------------------------------------------------------------------------------ lists */

int forward_list_add(struct forward_list *list, const struct forward *forward)
{
	struct forward *items = reallocarray(list->items, list->count + 1, sizeof *items);

	if (!items)
		return -ENOMEM;
	list->items = items;
	list->items[list->count++] = *forward;
	return 0;
}

void forward_list_remove(struct forward_list *list, size_t index)
{
	list->count--;
	memmove(list->items + index, list->items + index + 1, (list->count - index) * sizeof *list->items);
}

int forward_list_copy(const struct forward_list *list, struct forward_list *ret_copy)
{
	struct forward_list copy = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		if (forward_list_add(&copy, list->items + i) < 0) {
			forward_list_free(&copy);
			return -ENOMEM;
		}
	}
	*ret_copy = copy;
	return 0;
}

void forward_list_free(struct forward_list *list)
{
	free(list->items);
	*list = (struct forward_list){ 0 };
}

static const char *add_parsed(struct forward_list *list, const char *text)
{
	struct forward forward;
	const char *why = forward_parse(text, &forward);

	if (why)
		return why;
	if (!forward.target_port)
		forward.target_port = forward.port;
	if (list->count == FORWARDS_MAX)
		return "must not be more than 64";
	for (size_t i = 0; i < list->count; i++)
		if (forward_overlaps(list->items + i, &forward))
			return "must not name a port twice";
	return forward_list_add(list, &forward) < 0 ? "could not be kept: out of memory" : NULL;
}

const char *forward_list_parse(const char *text, struct forward_list *ret_list)
{
	CLEANUP_FORWARD_LIST struct forward_list list = { 0 };
	CLEANUP_FREE char *copy = strdup(text);
	char *rest = copy;
	const char *why = copy ? NULL : "could not be kept: out of memory";

	while (!why && *text && rest)
		why = add_parsed(&list, text_trim(strsep(&rest, ",")));
	if (why)
		return why;
	*ret_list = list;
	list = (struct forward_list){ 0 };
	return NULL;
}

char *forward_list_format(const struct forward_list *list)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		buffer_add_text(&text, i ? ", " : "");
		forward_format(list->items + i, &text);
	}
	return buffer_finish(&text);
}
