/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipv6.h"

#include <arpa/inet.h>

#include "address.h"

enum { PREFIX_BYTES = 8 };

bool ipv6_parse(const char *text, uint8_t ret_address[IPV6_BYTES])
{
	return inet_pton(AF_INET6, text, ret_address) == 1;
}

void ipv6_format(const uint8_t address[IPV6_BYTES], char ret_text[IPV6_TEXT_SIZE])
{
	inet_ntop(AF_INET6, address, ret_text, IPV6_TEXT_SIZE);
}

/* Not loopback, unspecified or mapped IPv4, nor link-local, the old site-local, or multicast. */
static bool is_usable(const uint8_t *address)
{
	return address[0] != 0 && address[0] < 0xfe;
}

bool ipv6_parse_prefix(const char *text, uint8_t ret_prefix[IPV6_BYTES])
{
	static const uint8_t zero[IPV6_BYTES - PREFIX_BYTES];
	const char *slash = strchr(text, '/');
	char address[IPV6_TEXT_SIZE];
	uint8_t prefix[IPV6_BYTES];

	if (!slash || !text_equal(slash, "/64") || (size_t)(slash - text) >= sizeof address)
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (!ipv6_parse(address, prefix) || memcmp(prefix + PREFIX_BYTES, zero, sizeof zero) != 0 ||
	    !is_usable(prefix))
		return false;
	memcpy(ret_prefix, prefix, sizeof prefix);
	return true;
}

bool ipv6_is_local(const char *prefix)
{
	uint8_t bytes[IPV6_BYTES];

	return ipv6_parse_prefix(prefix, bytes) && (bytes[0] & 0xfe) == 0xfc;
}

bool ipv6_derive(const char *prefix, uint32_t ipv4, uint32_t network, char ret_text[IPV6_TEXT_SIZE])
{
	uint32_t host = htonl(ipv4 - network);
	uint8_t address[IPV6_BYTES];

	if (!ipv6_parse_prefix(prefix, address))
		return false;
	memcpy(address + IPV6_BYTES - sizeof host, &host, sizeof host);
	ipv6_format(address, ret_text);
	return true;
}

bool ipv6_link_local(const char *mac, char ret_text[IPV6_TEXT_SIZE])
{
	uint8_t b[MAC_BYTES];

	if (!address_parse_mac(mac, b))
		return false;
	ipv6_format((const uint8_t[IPV6_BYTES]){ 0xfe, 0x80, 0, 0, 0, 0, 0, 0, b[0] ^ 2, b[1], b[2], 0xff, 0xfe, b[3],
						 b[4], b[5] },
		    ret_text);
	return true;
}
