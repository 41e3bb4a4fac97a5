/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "port.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* FNV-1a in 32 bits: bridges are few and the operator's own, so an accident is all there is to fear. */
static uint32_t hash(const char *text)
{
	uint32_t value = 0x811c9dc5U;

	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * 0x01000193U;
	return value;
}

void port_prefix(const char *bridge, char ret_prefix[PORT_NAME_SIZE])
{
	snprintf(ret_prefix, PORT_NAME_SIZE, "lb%04x-", hash(bridge) & 0xffff);
}

void port_name(const char *bridge, const char *mac, char ret_name[PORT_NAME_SIZE])
{
	char prefix[PORT_NAME_SIZE];
	const char *tail = strlen(mac) == 17 ? mac + 9 : "00:00:00";

	port_prefix(bridge, prefix);
	snprintf(ret_name, PORT_NAME_SIZE, "%.7s%.2s%.2s%.2s", prefix, tail, tail + 3, tail + 6);
}
