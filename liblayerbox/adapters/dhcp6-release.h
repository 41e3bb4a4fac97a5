/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Giving a DHCPv6 lease back in the name of a client that is gone for good. dnsmasq gives a reserved address to
 * nobody who names himself otherwise (DUID, IAID) than the one who has it, and to nobody at all can an address be
 * given that stays leased: so this matters more than the DHCPRELEASE of IPv4, which only saves an address.
 */
#pragma once

#include <netinet/in.h>

#include "../core/context.h"

/* RFC 8415, section 11.1: a type code and at most 128 bytes. */
enum { DUID_BYTES_MAX = 130 };

struct duid {
	uint8_t bytes[DUID_BYTES_MAX];
	size_t length;
};

struct dhcp6_binding {
	struct duid server, client;
	bool is_temporary;            /* IA_TA, not IA_NA */
	uint32_t iaid;
	struct in6_addr address;
};

/*
 * @server: the bridge's own address in the network. Returns when dnsmasq has answered, or after a moment; as lost
 * packets go, without a result.
 */
void dhcp6_release(const char *bridge, const struct in6_addr *server, const struct dhcp6_binding *binding);
