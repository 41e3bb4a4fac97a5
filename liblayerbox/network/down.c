/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "up.h"

#include "../adapters/dnsmasq.h"
#include "firewall.h"

static int refuse_ports(struct lb_context *ctx, const struct network_plan *plan)
{
	unsigned ports = 0;
	int r = link_count_ports(ctx, plan->bridge, plan->link.index, &ports);

	if (r < 0 || ports == 0)
		return r;
	return fail(ctx, -LB_ERR_NETWORK,
		    "%u interface%s still on the bridge %s; stop the containers first: `layerbox stop --all`", ports,
		    ports == 1 ? " is" : "s are", plan->bridge);
}

/* What is there of the network is taken away in the order that leaves no one waiting; 1 where nothing was. */
static int take_away(struct lb_context *ctx, const struct network_plan *plan)
{
	int dnsmasq, firewall, r = 1;

	dnsmasq = dnsmasq_stop(ctx, plan->pid_file);
	if (dnsmasq < 0)
		return dnsmasq;
	firewall = firewall_down(ctx, plan->bridge, plan->run_directory);
	if (firewall < 0)
		return firewall;
	if (plan->link.index)
		r = link_delete(ctx, plan->bridge, plan->link.index);
	return r < 0 ? r : r && dnsmasq && firewall;
}

int network_down_locked(struct lb_context *ctx, const char *name)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	int r = network_plan_make(ctx, name, &plan);

	if (r < 0)
		return r;
	if (plan.by_lxc_net && plan.manager == LB_NETWORK_NOBODY)
		return 1;
	if (plan.by_lxc_net)
		return fail(ctx, -LB_ERR_NETWORK, "lxc-net runs the bridge %s: `systemctl stop lxc-net` takes it down",
			    plan.bridge);
	if (plan.manager == LB_NETWORK_FOREIGN)
		return fail(ctx, -LB_ERR_NETWORK,
			    "the bridge %s was not made by layerbox, so layerbox does not delete it", plan.bridge);
	r = plan.link.index ? refuse_ports(ctx, &plan) : 0;
	if (r == 0)
		r = take_away(ctx, &plan);
	if (r == 0)
		log_message(ctx, LB_LOG_INFO, "the network on %s is down", plan.bridge);
	return r;
}
