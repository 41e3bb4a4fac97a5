/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "firewall-field.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <netinet/in.h>

#include "address.h"
#include "ipv6.h"

size_t field_size(char type)
{
	switch (type) {
	case 'n':
		return IFNAMSIZ;
	case 'm':
	case 'h':
		return 8;
	case '6':
	case 'x':
		return IPV6_BYTES;
	default:
		return 4;
	}
}

/* What nft would take for something else than a name of an interface is refused. */
static bool encode_name(const char *text, uint8_t *bytes)
{
	size_t length = strlen(text);

	if (length == 0 || length >= IFNAMSIZ)
		return false;
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return false;
	memcpy(bytes, text, length);
	return true;
}

static bool encode_protocol(const char *text, uint8_t *bytes)
{
	if (!text_equal(text, "tcp") && !text_equal(text, "udp"))
		return false;
	*bytes = text_equal(text, "tcp") ? IPPROTO_TCP : IPPROTO_UDP;
	return true;
}

static bool encode_port(const char *text, uint8_t *bytes)
{
	uint64_t port;

	if (!text_to_number(text, 1, UINT16_MAX, &port))
		return false;
	bytes[0] = (uint8_t)(port >> 8);
	bytes[1] = (uint8_t)port;
	return true;
}

bool field_encode(char type, const char *text, uint8_t *bytes)
{
	switch (type) {
	case 'n':
		return encode_name(text, bytes);
	case 'm':
	case 'h':
		return address_parse_mac(text, bytes);
	case '4':
		return inet_pton(AF_INET, text, bytes) == 1;
	case 'p':
		return encode_protocol(text, bytes);
	case 's':
		return encode_port(text, bytes);
	default:
		return ipv6_parse(text, bytes);
	}
}

void field_decode(char type, const uint8_t *bytes, struct buffer *text)
{
	char address[IPV6_TEXT_SIZE];

	switch (type) {
	case 'n':
		buffer_format(text, "\"%.*s\"", IFNAMSIZ - 1, (const char *)bytes);
		break;
	case 'm':
		buffer_format(text, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4],
			      bytes[5]);
		break;
	case 'h':
		buffer_add_text(text, "0x");
		for (size_t i = 0; i < MAC_BYTES; i++)
			buffer_format(text, "%02x", bytes[i]);
		break;
	case '4':
		buffer_add_text(text, inet_ntop(AF_INET, bytes, address, sizeof address));
		break;
	case '6':
		buffer_add_text(text, inet_ntop(AF_INET6, bytes, address, sizeof address));
		break;
	case 'x':
		buffer_add_text(text, "0x");
		for (size_t i = 0; i < IPV6_BYTES; i++)
			buffer_format(text, "%02x", bytes[i]);
		break;
	case 'p':
		buffer_add_text(text, *bytes == IPPROTO_TCP ? "tcp" : "udp");
		break;
	default:
		buffer_format(text, "%u", bytes[0] << 8 | bytes[1]);
	}
}
