/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipv6-host.h"

#include <dirent.h>
#include <stdio.h>

#include "../adapters/link.h"
#include "../adapters/sysctl.h"

#define FORWARDING "net/ipv6/conf/all/forwarding"

enum { KEY_BYTES = 320, ADDRESS_BYTES = IPV6_PREFIX_TEXT_SIZE };

static void make_key(char key[KEY_BYTES], const char *interface, const char *name)
{
	snprintf(key, KEY_BYTES, "net/ipv6/conf/%s/%s", interface, name);
}

/* A kernel setting of one interface; "" where it is gone meanwhile. */
static bool interface_has(const char *interface, const char *name, const char *value)
{
	char key[KEY_BYTES];

	make_key(key, interface, name);
	return sysctl_is(key, value);
}

/*
 * Once it forwards, the kernel drops the default routes that it has learnt from router advertisements, and heeds
 * them no more, but on interfaces that say 2. `all` and `default` are no interfaces, and a bridge's ports, where
 * accept_ra says 1 too, see no advertisement: the bridge does.
 */
static int keep_advertisements(struct lb_context *ctx, const char *bridge)
{
	CLEANUP_DIR DIR *dir = opendir("/proc/sys/net/ipv6/conf");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		char key[KEY_BYTES];
		int r;

		if (*name == '.' || text_equal(name, "all") || text_equal(name, "default") || text_equal(name, "lo"))
			continue;
		if (text_equal(name, bridge) || link_is_port(name) || !interface_has(name, "accept_ra", "1") ||
		    !interface_has(name, "forwarding", "0"))
			continue;
		make_key(key, name, "accept_ra");
		r = sysctl_set(ctx, key, "2");
		if (r < 0)
			return r;
		log_message(ctx, LB_LOG_INFO, "%s goes on heeding router advertisements (accept_ra = 2)", name);
	}
	return 0;
}

static int forward(struct lb_context *ctx, const char *bridge)
{
	int r;

	if (sysctl_is(FORWARDING, "1"))
		return 1;
	r = keep_advertisements(ctx, bridge);
	if (r == 0)
		r = sysctl_set(ctx, FORWARDING, "1");
	if (r == 0)
		log_message(ctx, LB_LOG_INFO, "the kernel forwards IPv6 packets now (net.ipv6.conf.all.forwarding)");
	return r;
}

static void make_address(const struct ipv6_prefix *prefix, char address[ADDRESS_BYTES])
{
	char gateway[IPV6_TEXT_SIZE];

	ipv6_gateway(prefix, gateway);
	snprintf(address, ADDRESS_BYTES, "%s/%d", gateway, IPV6_PREFIX_LENGTH);
}

int network_ipv6_up(struct lb_context *ctx, const char *bridge, int index, const struct ipv6_prefix *prefix)
{
	char address[ADDRESS_BYTES], key[KEY_BYTES];
	int enabled, detection, forwarding, added;

	if (!sysctl_exists(FORWARDING))
		return fail(ctx, -LB_ERR_NETWORK,
			    "the kernel of this host has no IPv6, so the network on %s cannot have it; look for "
			    "`ipv6.disable=1` in /proc/cmdline, or give the network no IPv6 prefix",
			    bridge);
	make_key(key, bridge, "disable_ipv6");
	enabled = sysctl_set(ctx, key, "0");
	if (enabled < 0)
		return enabled;
	/*
	 * Nobody else can have this address, and whoever says so is lying: without a check, the bridge has its own
	 * (link-local) address, from which dnsmasq speaks, as soon as the first container starts.
	 */
	make_key(key, bridge, "accept_dad");
	detection = sysctl_set(ctx, key, "0");
	if (detection < 0)
		return detection;
	forwarding = forward(ctx, bridge);
	if (forwarding < 0)
		return forwarding;
	make_address(prefix, address);
	added = link_add_address(ctx, bridge, index, address);
	if (added == 0)
		log_message(ctx, LB_LOG_INFO, "the bridge %s has the address %s", bridge, address);
	return added < 0 ? added : enabled && detection && forwarding && added;
}

int network_ipv6_down(struct lb_context *ctx, const char *bridge, int index, const struct ipv6_prefix *prefix)
{
	char address[ADDRESS_BYTES];

	make_address(prefix, address);
	return link_remove_address(ctx, bridge, index, address);
}

bool network_ipv6_is_up(const char *bridge, const struct ipv6_prefix *prefix)
{
	char gateway[IPV6_TEXT_SIZE];

	ipv6_gateway(prefix, gateway);
	return link_has_ipv6(bridge, gateway) && sysctl_is(FORWARDING, "1");
}
