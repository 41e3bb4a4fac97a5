/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subnet.h"

#include <arpa/inet.h>

enum { PREFIX_MIN = 16, PREFIX_MAX = 29 };

bool ipv4_parse(const char *text, uint32_t *ret_address)
{
	struct in_addr parsed;

	if (inet_pton(AF_INET, text, &parsed) != 1)
		return false;
	*ret_address = ntohl(parsed.s_addr);
	return true;
}

void ipv4_format(uint32_t address, char ret_text[IPV4_TEXT_SIZE])
{
	struct in_addr in = { .s_addr = htonl(address) };

	inet_ntop(AF_INET, &in, ret_text, IPV4_TEXT_SIZE);
}

uint32_t subnet_netmask(const struct subnet *subnet)
{
	return UINT32_MAX << (32 - subnet->prefix);
}

uint32_t subnet_broadcast(const struct subnet *subnet)
{
	return subnet->network | ~subnet_netmask(subnet);
}

void subnet_format_gateway(const struct subnet *subnet, char *text, size_t size)
{
	char gateway[IPV4_TEXT_SIZE];

	ipv4_format(subnet->gateway, gateway);
	snprintf(text, size, "%s/%u", gateway, subnet->prefix);
}

bool subnet_pool_has(const struct subnet *subnet, uint32_t address)
{
	return address >= subnet->first && address <= subnet->last && address != subnet->gateway;
}

unsigned subnet_pool_size(const struct subnet *subnet)
{
	bool gateway_inside = subnet->gateway >= subnet->first && subnet->gateway <= subnet->last;

	return subnet->last - subnet->first + 1 - gateway_inside;
}

const char *subnet_parse(const char *cidr, struct subnet *ret_subnet)
{
	static const char form[] = "must be an IPv4 subnet such as 10.0.3.0/24, with a prefix from /16 to /29";
	struct subnet subnet = { 0 };
	char address[IPV4_TEXT_SIZE];
	const char *slash = strchr(cidr, '/');
	uint64_t prefix;

	if (!slash || (size_t)(slash - cidr) >= sizeof address)
		return form;
	memcpy(address, cidr, (size_t)(slash - cidr));
	address[slash - cidr] = '\0';
	if (!ipv4_parse(address, &subnet.network) || !text_to_number(slash + 1, PREFIX_MIN, PREFIX_MAX, &prefix))
		return form;
	subnet.prefix = (unsigned)prefix;
	if (subnet.network & ~subnet_netmask(&subnet))
		return "has host bits set: the address must be the subnet's first, such as 10.0.3.0/24";
	subnet.gateway = subnet.network + 1;
	subnet.first = subnet.network + 2;
	subnet.last = subnet_broadcast(&subnet) - 1;
	*ret_subnet = subnet;
	return NULL;
}

/* 255.255.255.0 -> 24; 0 where the ones are not all in front. */
static unsigned prefix_of(uint32_t netmask)
{
	unsigned prefix = (unsigned)__builtin_popcount(netmask);

	return prefix && netmask == UINT32_MAX << (32 - prefix) ? prefix : 0;
}

int subnet_from_parts(const char *gateway, const char *netmask, const char *first, const char *last,
		      struct subnet *ret_subnet)
{
	struct subnet subnet = { 0 };
	uint32_t mask;

	if (!ipv4_parse(gateway, &subnet.gateway) || !ipv4_parse(netmask, &mask))
		return -EINVAL;
	if (!ipv4_parse(first, &subnet.first) || !ipv4_parse(last, &subnet.last))
		return -EINVAL;
	subnet.prefix = prefix_of(mask);
	if (subnet.prefix < PREFIX_MIN || subnet.prefix > PREFIX_MAX)
		return -EINVAL;
	subnet.network = subnet.gateway & mask;
	if (subnet.first <= subnet.network)
		subnet.first = subnet.network + 1;
	if (subnet.last >= subnet_broadcast(&subnet))
		subnet.last = subnet_broadcast(&subnet) - 1;
	if (subnet.first > subnet.last)
		return -EINVAL;
	*ret_subnet = subnet;
	return 0;
}
