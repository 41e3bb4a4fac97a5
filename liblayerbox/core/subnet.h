/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The arithmetic of IPv4 subnets and of the pool that containers' addresses come from; host byte order. */
#pragma once

#include "../util/text.h"

enum { IPV4_TEXT_SIZE = 16 };

struct subnet {
	uint32_t network;
	unsigned prefix;              /* 16 to 29 */
	uint32_t gateway;             /* the bridge's own address */
	uint32_t first, last;         /* the pool, both included; the gateway may lie inside and is not of it */
};

/* Reads "10.0.3.0/24": the gateway is the first host address, the pool all that follow. NULL, or why not. */
const char *subnet_parse(const char *cidr, struct subnet *ret_subnet);

/* Makes one of what another program was configured with; the pool is cut to host addresses of the subnet. */
int subnet_from_parts(const char *gateway, const char *netmask, const char *first, const char *last,
		      struct subnet *ret_subnet);

uint32_t subnet_netmask(const struct subnet *subnet);
uint32_t subnet_broadcast(const struct subnet *subnet);

/* Can a container have this address? */
bool subnet_pool_has(const struct subnet *subnet, uint32_t address);
unsigned subnet_pool_size(const struct subnet *subnet);

/* The gateway with the prefix length behind it, as an interface has its address: "10.0.3.1/24". */
void subnet_format_gateway(const struct subnet *subnet, char *text, size_t size);

bool ipv4_parse(const char *text, uint32_t *ret_address);
void ipv4_format(uint32_t address, char ret_text[IPV4_TEXT_SIZE]);
