/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The DHCP and DNS server of a network that layerbox runs itself. */
#include "../adapters/dnsmasq.h"
#include "up.h"

/* What dnsmasq is told, and where that stands as text. */
struct arguments {
	char address[IPV4_TEXT_SIZE], first[IPV4_TEXT_SIZE], last[IPV4_TEXT_SIZE], netmask[IPV4_TEXT_SIZE];
	char ipv6[IPV6_TEXT_SIZE];
	struct dnsmasq_settings settings;
};

static void make_arguments(struct lb_context *ctx, const struct network_plan *plan, struct arguments *arguments)
{
	ipv4_format(plan->subnet.first, arguments->first);
	ipv4_format(plan->subnet.last, arguments->last);
	ipv4_format(subnet_netmask(&plan->subnet), arguments->netmask);
	ipv4_format(plan->subnet.gateway, arguments->address);
	ipv6_prefix_network(&plan->ipv6, arguments->ipv6);
	arguments->settings = (struct dnsmasq_settings){
		.bridge = plan->bridge,
		.no_dhcp = !plan->settings.dhcp,
		.range_first = arguments->first,
		.range_last = arguments->last,
		.netmask = arguments->netmask,
		.lease_max = subnet_pool_size(&plan->subnet),
		.ipv6 = plan->has_ipv6 ? arguments->ipv6 : NULL,
		.mtu = plan->settings.mtu,
		.domain = ctx->config.domain,
		.hosts_directory = plan->hosts_directory,
		.names_directory = plan->names_directory,
		.lease_file = plan->lease_file,
		.pid_file = plan->pid_file,
	};
}

static int start_dnsmasq(struct lb_context *ctx, const struct network_plan *plan, const struct arguments *arguments)
{
	int r = dnsmasq_check_port(ctx, arguments->address);

	if (r == 0)
		r = dnsmasq_start(ctx, &arguments->settings);
	if (r == 0 && plan->settings.dhcp)
		log_message(ctx, LB_LOG_INFO, "dnsmasq gives out %s to %s on %s", arguments->first, arguments->last,
			    plan->bridge);
	return r;
}

/* A dnsmasq that serves another root which still exists is not taken away from it. */
int network_check_dnsmasq(struct lb_context *ctx, const struct network_plan *plan)
{
	pid_t pid = dnsmasq_find(plan->pid_file);
	CLEANUP_FREE char *directory = pid ? dnsmasq_argument(pid, "--hostsdir") : NULL;

	if (!directory || text_equal(directory, plan->names_directory) || access(directory, F_OK) < 0)
		return 0;
	return fail(ctx, -LB_ERR_NETWORK,
		    "the bridge %s serves another root, with its reservations in %s; give this root a bridge and a "
		    "subnet of its own in a configuration file (--config)",
		    plan->bridge, directory);
}

/* @bridge_is_new: then a dnsmasq that is still there listens on an interface that no longer is. */
int network_up_dnsmasq(struct lb_context *ctx, const struct network_plan *plan, bool bridge_is_new)
{
	pid_t pid = dnsmasq_find(plan->pid_file);
	struct arguments arguments;
	int r;

	make_arguments(ctx, plan, &arguments);
	if (pid && !bridge_is_new && dnsmasq_watches(pid, network_plan_watched(plan)) &&
	    dnsmasq_has_settings(pid, &arguments.settings))
		return 1;
	if (pid) {
		r = dnsmasq_stop(ctx, plan->pid_file);
		if (r < 0)
			return r;
	}
	return start_dnsmasq(ctx, plan, &arguments);
}
