/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lease-release.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>

#include "../util/file.h"
#include "lease.h"

static int hex_digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* 00:01:00:01:2e:65 */
static bool parse_duid(const char *text, struct duid *ret_duid)
{
	struct duid duid = { 0 };

	for (;; text += 3) {
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || duid.length == DUID_BYTES_MAX)
			return false;
		duid.bytes[duid.length++] = (uint8_t)(high << 4 | low);
		if (!text[2])
			break;
		if (text[2] != ':')
			return false;
	}
	*ret_duid = duid;
	return true;
}

/* EXPIRY [T]IAID IPV6 NAME|* DUID, of that address; T is for a temporary one. */
static bool parse_line(const char *words[LEASE_WORDS], const struct in6_addr *wanted, struct dhcp6_binding *binding)
{
	const char *iaid = text_after(words[1], "T");
	struct in6_addr address;
	struct duid client;
	uint64_t number;

	if (inet_pton(AF_INET6, words[2], &address) != 1 || !IN6_ARE_ADDR_EQUAL(&address, wanted))
		return false;
	if (!text_to_number(iaid ? iaid : words[1], 0, UINT32_MAX, &number) || !parse_duid(words[4], &client))
		return false;
	binding->is_temporary = iaid != NULL;
	binding->iaid = (uint32_t)number;
	binding->client = client;
	binding->address = address;
	return true;
}

bool lease_release_parse(char *text, const char *ipv6, struct dhcp6_binding *ret_binding)
{
	struct dhcp6_binding binding = { 0 };
	struct in6_addr wanted;
	bool found = false;
	char *save = NULL;

	if (inet_pton(AF_INET6, ipv6, &wanted) != 1)
		return false;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *words[LEASE_WORDS];
		int count = lease_split(line, words);

		if (count == 2 && text_equal(words[0], "duid"))
			(void)parse_duid(words[1], &binding.server);
		else if (count == LEASE_WORDS && !found)
			found = parse_line(words, &wanted, &binding);
	}
	if (!found || !binding.server.length)
		return false;
	*ret_binding = binding;
	return true;
}

void lease_release_ipv6(struct lb_context *ctx, const struct network_plan *plan, const char *ipv6)
{
	CLEANUP_FREE char *text = NULL;
	char gateway[IPV6_TEXT_SIZE];
	struct dhcp6_binding binding;
	struct in6_addr server;

	/* Read as it is, dnsmasq might just be writing it anew, and the lease would stay. */
	if (lease_file_read(ctx, plan, &text) < 0)
		return;
	ipv6_gateway(&plan->ipv6, gateway);
	if (lease_release_parse(text, ipv6, &binding) && inet_pton(AF_INET6, gateway, &server) == 1)
		dhcp6_release(plan->bridge, &server, &binding);
}
