/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

static uint32_t to_number(const struct sockaddr *address)
{
	struct sockaddr_in in;

	memcpy(&in, address, sizeof in);
	return ntohl(in.sin_addr.s_addr);
}

static bool overlaps(const struct ifaddrs *entry, uint32_t network, unsigned prefix)
{
	uint32_t mask = prefix ? UINT32_MAX << (32 - prefix) : 0;
	uint32_t address = to_number(entry->ifa_addr), own_mask = to_number(entry->ifa_netmask);

	/* The shorter prefix decides: of two subnets one lies in the other, or they have nothing in common. */
	return ((address ^ network) & mask & own_mask) == 0;
}

static char *describe(const struct ifaddrs *entry)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr in = { .s_addr = htonl(to_number(entry->ifa_addr)) };

	inet_ntop(AF_INET, &in, text, sizeof text);
	return text_format("%s/%d on %s", text, __builtin_popcount(to_number(entry->ifa_netmask)), entry->ifa_name);
}

int host_address_find(struct lb_context *ctx, uint32_t network, unsigned prefix, const char *except, char **ret_where)
{
	struct ifaddrs *list;
	char *where = NULL;
	bool found = false;

	if (getifaddrs(&list) < 0)
		return fail_errno(ctx, errno, "cannot ask the kernel for this host's addresses");
	for (const struct ifaddrs *entry = list; entry && !found; entry = entry->ifa_next) {
		if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET || !entry->ifa_netmask ||
		    text_equal(entry->ifa_name, except))
			continue;
		found = overlaps(entry, network, prefix);
		if (found)
			where = describe(entry);
	}
	freeifaddrs(list);
	if (!found)
		return 0;
	if (!where)
		return fail_memory(ctx);
	*ret_where = where;
	return 1;
}
