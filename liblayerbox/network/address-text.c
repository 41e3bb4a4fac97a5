/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses as text, apart from how they are chosen: the hook reads records and should load nothing for it. */
#include <ctype.h>

#include "../core/subnet.h"
#include "address.h"

bool address_is_ipv4(const char *text)
{
	uint32_t address;

	return ipv4_parse(text, &address);
}

bool address_is_mac(const char *text)
{
	for (size_t i = 0; i < MAC_TEXT_SIZE - 1; i++) {
		if (i % 3 == 2 && text[i] != ':')
			return false;
		if (i % 3 != 2 && (!isxdigit((unsigned char)text[i]) || isupper((unsigned char)text[i])))
			return false;
	}
	return text[MAC_TEXT_SIZE - 1] == '\0';
}

bool address_parse_mac(const char *text, uint8_t ret_mac[MAC_BYTES])
{
	if (!address_is_mac(text))
		return false;
	for (size_t i = 0; i < MAC_BYTES; i++)
		ret_mac[i] = (uint8_t)strtoul(text + 3 * i, NULL, 16);
	return true;
}
