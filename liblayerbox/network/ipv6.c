/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipv6.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "../util/text.h"

#define MUST_BE "must be a /64 prefix such as fd42:1:2:3::/64"

_Static_assert((int)IPV6_TEXT_SIZE == INET6_ADDRSTRLEN, "as long as the longest address");

static void format(const struct ipv6_prefix *prefix, uint64_t interface, char ret_text[IPV6_TEXT_SIZE])
{
	struct in6_addr address = { 0 };

	memcpy(address.s6_addr, prefix->bytes, sizeof prefix->bytes);
	for (int i = 15; i >= 8; i--, interface >>= 8)
		address.s6_addr[i] = (uint8_t)interface;
	inet_ntop(AF_INET6, &address, ret_text, IPV6_TEXT_SIZE);
}

const char *ipv6_prefix_parse(const char *text, struct ipv6_prefix *ret_prefix)
{
	static const uint8_t zeros[8];
	const char *slash = strchr(text, '/');
	char address[IPV6_TEXT_SIZE];
	struct in6_addr parsed;

	if (!slash || (size_t)(slash - text) >= sizeof address || !text_equal(slash, "/64"))
		return MUST_BE;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (inet_pton(AF_INET6, address, &parsed) != 1)
		return MUST_BE;
	if (memcmp(parsed.s6_addr + 8, zeros, sizeof zeros) != 0)
		return MUST_BE ", with nothing behind the first four groups";
	/* 2000::/3 or fc00::/7: neither multicast nor link-local, loopback, mapped IPv4 or what is reserved. */
	if ((parsed.s6_addr[0] & 0xe0) != 0x20 && (parsed.s6_addr[0] & 0xfe) != 0xfc)
		return MUST_BE ", unique local (fc00::/7) or global (2000::/3)";
	memcpy(ret_prefix->bytes, parsed.s6_addr, sizeof ret_prefix->bytes);
	return NULL;
}

void ipv6_prefix_network(const struct ipv6_prefix *prefix, char ret_text[IPV6_TEXT_SIZE])
{
	format(prefix, 0, ret_text);
}

void ipv6_prefix_format(const struct ipv6_prefix *prefix, char ret_text[IPV6_PREFIX_TEXT_SIZE])
{
	char network[IPV6_TEXT_SIZE];

	format(prefix, 0, network);
	snprintf(ret_text, IPV6_PREFIX_TEXT_SIZE, "%s/%d", network, IPV6_PREFIX_LENGTH);
}

int ipv6_prefix_random(struct ipv6_prefix *ret_prefix)
{
	struct ipv6_prefix prefix;

	if (getrandom(prefix.bytes, sizeof prefix.bytes, 0) != sizeof prefix.bytes)
		return -errno;
	prefix.bytes[0] = 0xfd; /* RFC 4193, section 3.1: assigned locally */
	*ret_prefix = prefix;
	return 0;
}

bool ipv6_prefix_is_local(const struct ipv6_prefix *prefix)
{
	return (prefix->bytes[0] & 0xfe) == 0xfc;
}

void ipv6_gateway(const struct ipv6_prefix *prefix, char ret_text[IPV6_TEXT_SIZE])
{
	format(prefix, 1, ret_text);
}

void ipv6_of_guest(const struct ipv6_prefix *prefix, uint32_t host_number, char ret_text[IPV6_TEXT_SIZE])
{
	format(prefix, host_number, ret_text);
}

void ipv6_link_local(const char *mac, char ret_text[IPV6_TEXT_SIZE])
{
	static const struct ipv6_prefix link_local = { .bytes = { 0xfe, 0x80 } };
	unsigned b[6] = { 0 };
	uint64_t interface;

	(void)!sscanf(mac, "%2x:%2x:%2x:%2x:%2x:%2x", b, b + 1, b + 2, b + 3, b + 4, b + 5);
	/* RFC 4291, appendix A: ff:fe in the middle, and the bit for "universal" turned round. */
	interface = (uint64_t)(b[0] ^ 2) << 56 | (uint64_t)b[1] << 48 | (uint64_t)b[2] << 40 | UINT64_C(0xfffe) << 24;
	interface |= (uint64_t)b[3] << 16 | (uint64_t)b[4] << 8 | b[5];
	format(&link_local, interface, ret_text);
}

bool ipv6_parse(const char *text, uint8_t ret_bytes[IPV6_BYTES])
{
	return inet_pton(AF_INET6, text, ret_bytes) == 1;
}

bool ipv6_normalise(const char *text, char ret_text[IPV6_TEXT_SIZE])
{
	struct in6_addr parsed;

	return inet_pton(AF_INET6, text, &parsed) == 1 && inet_ntop(AF_INET6, &parsed, ret_text, IPV6_TEXT_SIZE);
}
