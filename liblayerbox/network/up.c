/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "up.h"

#include <fcntl.h>

#include "../adapters/dnsmasq.h"
#include "../adapters/nft.h"
#include "../adapters/sysctl.h"
#include "../core/lock.h"
#include "../util/tree.h"
#include "firewall.h"
#include "guests.h"
#include "ipv6-host.h"
#include "network.h"

static int refuse_foreign(struct lb_context *ctx, const struct network_plan *plan)
{
	return fail(ctx, -LB_ERR_NETWORK,
		    "there is %s %s already that was not made by layerbox%s; set another `bridge =` in layerbox.conf, "
		    "or delete it with `ip link delete %s` if nothing needs it",
		    plan->link.is_bridge ? "a bridge" : "an interface", plan->bridge,
		    plan->link.is_bridge ? ", and lxc-net does not run it" : "", plan->bridge);
}

/* All that can be known to be missing before the first change. */
static int check_before(struct lb_context *ctx, const struct network_plan *plan)
{
	char address[IPV4_TEXT_SIZE], with_prefix[sizeof plan->link.address];
	int r = dnsmasq_require(ctx);

	subnet_format_gateway(&plan->subnet, with_prefix, sizeof with_prefix);
	ipv4_format(plan->subnet.gateway, address);
	if (*plan->link.address && !text_equal(plan->link.address, with_prefix))
		return fail(ctx, -LB_ERR_NETWORK,
			    "the bridge %s has address %s, but layerbox.conf asks for %s; go back to that subnet, or "
			    "stop all containers, `layerbox net down` and `layerbox net up`",
			    plan->bridge, plan->link.address, with_prefix);
	if (r == 0)
		r = nft_require(ctx);
	if (r == 0 && !dnsmasq_find(plan->pid_file))
		r = dnsmasq_check_port(ctx, address);
	return r;
}

/* A container must not tell its host where the internet is: router advertisements and redirects from the bridge. */
static void harden(struct lb_context *ctx, const char *bridge)
{
	static const char *const keys[] = { "accept_ra", "accept_redirects", "autoconf" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char key[128];

		snprintf(key, sizeof key, "net/ipv6/conf/%s/%s", bridge, keys[i]);
		(void)sysctl_set(ctx, key, "0"); /* not there where the kernel has no IPv6 */
	}
}

static int bridge_up(struct lb_context *ctx, struct network_plan *plan, int *ret_index)
{
	int index = plan->link.index, changed = 1, r;
	char address[sizeof plan->link.address];

	if (!index) {
		r = link_make_bridge(ctx, plan->bridge, plan->bridge_mac, NETWORK_ALIAS, &index);
		if (r < 0)
			return r;
		changed = 0;
	} else if (!text_equal(plan->link.alias, NETWORK_ALIAS)) {
		r = link_set_alias(ctx, plan->bridge, index, NETWORK_ALIAS);
		if (r < 0)
			return r;
		changed = 0;
	}
	subnet_format_gateway(&plan->subnet, address, sizeof address);
	r = link_add_address(ctx, plan->bridge, index, address);
	if (r < 0)
		return r;
	changed &= r;
	*ret_index = index;
	if (plan->settings.mtu) {
		r = link_set_mtu(ctx, plan->bridge, index, plan->settings.mtu);
		if (r < 0)
			return r;
	}
	if (changed && plan->link.up)
		return 1;
	harden(ctx, plan->bridge);
	r = link_set_up(ctx, plan->bridge, index);
	if (r == 0)
		log_message(ctx, LB_LOG_INFO, "the bridge %s is up with address %s", plan->bridge, address);
	return r;
}

static int make_directories(struct lb_context *ctx, const struct network_plan *plan)
{
	CLEANUP_FD int hosts_fd = network_plan_open_hosts(ctx, plan);
	int r;

	if (hosts_fd < 0)
		return hosts_fd;
	r = tree_make_directories(AT_FDCWD, plan->run_directory, 0755);
	if (r < 0)
		return fail_errno(ctx, r, "cannot make %s", plan->run_directory);
	return dnsmasq_check_readable(ctx, plan->hosts_directory);
}

/* Everything but the checks; each step returns 1 where nothing was to do. */
static int set_up(struct lb_context *ctx, struct network_plan *plan)
{
	int forwarding, bridge, ipv6 = 1, firewall, dnsmasq, index;

	bridge = bridge_up(ctx, plan, &index);
	if (bridge >= 0 && plan->has_ipv6)
		ipv6 = network_ipv6_up(ctx, plan->bridge, index, &plan->ipv6);
	if (bridge < 0 || ipv6 < 0)
		return bridge < 0 ? bridge : ipv6;
	forwarding = sysctl_set(ctx, "net/ipv4/ip_forward", "1");
	if (forwarding < 0)
		return forwarding;
	if (forwarding == 0)
		log_message(ctx, LB_LOG_INFO, "the kernel forwards IPv4 packets now (net.ipv4.ip_forward)");
	firewall = guests_apply(ctx, plan);
	if (firewall < 0)
		return firewall;
	dnsmasq = network_up_dnsmasq(ctx, plan, !plan->link.index);
	if (dnsmasq < 0)
		return dnsmasq;
	return bridge && ipv6 && forwarding && firewall && dnsmasq;
}

/* A bridge that was made just now and has no DHCP server is worse than none: containers would start and wait. */
static void undo(struct lb_context *ctx, const struct network_plan *plan)
{
	char error[ERROR_MAX];
	struct link_state link;

	memcpy(error, ctx->error, sizeof error);
	if (link_get(ctx, plan->bridge, &link) == 0 && link.index)
		(void)link_delete(ctx, plan->bridge, link.index);
	(void)firewall_down(ctx, plan->bridge, plan->run_directory);
	memcpy(ctx->error, error, sizeof error);
}

static int own_up(struct lb_context *ctx, struct network_plan *plan)
{
	int r = network_check_dnsmasq(ctx, plan);

	if (r == 0)
		r = check_before(ctx, plan);
	if (r == 0)
		r = make_directories(ctx, plan);
	if (r < 0)
		return r;
	r = set_up(ctx, plan);
	if (r < 0 && !plan->link.index)
		undo(ctx, plan);
	return r;
}

/* Has lxc-net make its bridge, and looks again; where it would not, plans layerbox's own. */
static int start_lxc_net(struct lb_context *ctx, struct network_plan *plan)
{
	int r;

	if (!lxc_net_is_startable())
		return fail(ctx, -LB_ERR_NETWORK,
			    "lxc-net says that it is up, but its bridge %s is gone; restart it: "
			    "`/usr/libexec/lxc/lxc-net restart`",
			    plan->bridge);
	/* A dnsmasq of a bridge that is gone serves nobody, but keeps lxc-net from starting its new one. */
	r = plan->link.index ? 0 : dnsmasq_stop(ctx, plan->pid_file);
	if (r >= 0)
		r = lxc_net_start(ctx);
	if (r < 0)
		return r;
	network_plan_free(plan);
	r = network_plan_make(ctx, NULL, plan);
	if (r < 0 || plan->manager != LB_NETWORK_NOBODY)
		return r;
	log_message(ctx, LB_LOG_INFO, "lxc-net did not make %s on this host; layerbox makes it", plan->bridge);
	return network_plan_use_own(ctx, plan);
}

int network_up_locked(struct lb_context *ctx, const char *name)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	bool started = false;
	int r = network_plan_make(ctx, name, &plan);

	if (r == 0 && plan.by_lxc_net && (plan.manager == LB_NETWORK_NOBODY || !lxc_net_is_up())) {
		r = start_lxc_net(ctx, &plan);
		started = true;
	}
	if (r < 0)
		return r;
	if (plan.manager == LB_NETWORK_FOREIGN)
		return refuse_foreign(ctx, &plan);
	r = plan.by_lxc_net ? network_up_lxc_net(ctx, &plan) : own_up(ctx, &plan);
	return r == 1 && started ? 0 : r;
}

static bool has_lost_dnsmasq(const struct network_plan *plan)
{
	return plan->link.up && (plan->manager == LB_NETWORK_LAYERBOX || plan->manager == LB_NETWORK_LXC_NET) &&
	       !dnsmasq_find(plan->pid_file);
}

int network_revive(struct lb_context *ctx, const char *network)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	CLEANUP_FD int lock = -1;
	int r = network_plan_make(ctx, network, &plan);

	if (r < 0 || !has_lost_dnsmasq(&plan))
		return r < 0 ? r : 1;
	lock = lock_root(ctx);
	if (lock < 0)
		return lock;
	/* Somebody else may have started it while the lock was waited for; then all is well. */
	return network_up_locked(ctx, plan.bridge);
}
