/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "port.h"

#include <stdint.h>
#include <stdio.h>

#include "address.h"

/* FNV-1a in 32 bits. */
static uint32_t hash_name(const char *name)
{
	uint32_t hash = 0x811c9dc5;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x01000193;
	return hash;
}

void port_prefix(const char *bridge, char ret_prefix[PORT_PREFIX_SIZE])
{
	snprintf(ret_prefix, PORT_PREFIX_SIZE, "lb%04x-", hash_name(bridge) & 0xffff);
}

bool port_name(const char *bridge, const char *mac, char ret_name[PORT_NAME_SIZE])
{
	char prefix[PORT_PREFIX_SIZE];
	uint8_t bytes[MAC_BYTES];

	if (!address_parse_mac(mac, bytes))
		return false;
	port_prefix(bridge, prefix);
	snprintf(ret_name, PORT_NAME_SIZE, "%s%02x%02x%02x", prefix, bytes[3], bytes[4], bytes[5]);
	return true;
}
