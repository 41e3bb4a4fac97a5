/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "../core/store.h"
#include "../util/tree.h"

/* Set at its birth, alias not yet: a bridge that a killed `net up` left half-made. Nobody else's looks so. */
static bool is_half_made(const struct network_plan *plan)
{
	const struct link_state *link = &plan->link;

	return !link->up && !*link->alias && !*link->address && text_equal(link->mac, plan->bridge_mac);
}

static enum lb_network_manager find_manager(const struct network_plan *plan, bool lxc_net_runs_it)
{
	const struct link_state *link = &plan->link;

	if (!link->index)
		return LB_NETWORK_NOBODY;
	if (lxc_net_runs_it && link->is_bridge)
		return LB_NETWORK_LXC_NET;
	if (link->is_bridge && (text_equal(link->alias, NETWORK_ALIAS) || is_half_made(plan)))
		return LB_NETWORK_LAYERBOX;
	return LB_NETWORK_FOREIGN;
}

/*
 * Is it lxc-net's bridge, or its part to make it? Without its marker a bridge is its own only where it left it
 * behind, down, because there were ports on it.
 */
static bool is_of_lxc_net(const struct link_state *link, const struct lxc_net_settings *settings, const char *bridge)
{
	if (!settings->use_bridge || !text_equal(settings->bridge, bridge))
		return false;
	if (!link->index)
		return true;
	if (!link->is_bridge)
		return false;
	return lxc_net_is_up() || (!link->up && text_equal(link->mac, settings->bridge_mac));
}

static int ask_lxc_net(struct lb_context *ctx, struct network_plan *plan)
{
	int r;

	if (!lxc_net_is_up() && (plan->manager == LB_NETWORK_LAYERBOX || !lxc_net_is_startable()))
		return 0;
	r = lxc_net_load(ctx, &plan->lxc_net);
	if (r < 0)
		return r;
	plan->by_lxc_net = is_of_lxc_net(&plan->link, &plan->lxc_net, plan->bridge);
	plan->manager = find_manager(plan, plan->by_lxc_net);
	return 0;
}

static int take_subnet(struct lb_context *ctx, struct network_plan *plan)
{
	const struct lxc_net_settings *settings = &plan->lxc_net;

	if (!plan->by_lxc_net) {
		if (subnet_parse(plan->settings.subnet, &plan->subnet))
			return fail(ctx, -LB_ERR_BAD_VALUE,
				    "the subnet \"%s\" of network %s is not one such as 10.0.3.0/24, from /16 to /29",
				    plan->settings.subnet, plan->bridge);
		return 0;
	}
	if (subnet_from_parts(settings->address, settings->netmask, settings->range_first, settings->range_last,
			      &plan->subnet) < 0)
		return fail(ctx, -LB_ERR_NETWORK,
			    "lxc-net's network %s, netmask %s, range %s,%s is not one for layerbox (/16 to /29); "
			    "correct it in " LXC_NET_SETTINGS_FILE,
			    settings->address, settings->netmask, settings->range_first, settings->range_last);
	return 0;
}

static int take_paths(struct lb_context *ctx, struct network_plan *plan)
{
	plan->directory = store_path(ctx, STORE_NETWORK "/%s", plan->bridge);
	plan->hosts_directory = store_path(ctx, STORE_NETWORK "/%s/hosts.d", plan->bridge);
	plan->names_directory = store_path(ctx, STORE_NETWORK "/%s/names.d", plan->bridge);
	plan->run_directory = text_format(RUNSTATEDIR "/layerbox/network/%s", plan->bridge);
	if (plan->by_lxc_net) {
		plan->lease_file = text_format(LXC_NET_LEASE_FILE, plan->bridge);
		plan->pid_file = strdup(LXC_NET_PID_FILE);
	} else {
		plan->lease_file = store_path(ctx, STORE_NETWORK "/%s/leases", plan->bridge);
		plan->pid_file = text_format(RUNSTATEDIR "/layerbox/network/%s/dnsmasq.pid", plan->bridge);
	}
	if (!plan->directory || !plan->hosts_directory || !plan->names_directory || !plan->run_directory ||
	    !plan->lease_file || !plan->pid_file)
		return fail_memory(ctx);
	return 0;
}

/* 00:16:3e:00 is left to bridges by address_choose(), and 00:16:3e:00:00:00 is lxc-net's. */
static void choose_bridge_mac(struct network_plan *plan)
{
	unsigned hash = (unsigned)text_hash(plan->bridge);

	snprintf(plan->bridge_mac, sizeof plan->bridge_mac, "00:16:3e:00:%02x:%02x", hash >> 8 & 0xff,
		 (hash & 0xff) | 1);
}

int network_plan_make(struct lb_context *ctx, const char *network, struct network_plan *ret_plan)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	int r = network_settings_load(ctx, network, &plan.settings);

	if (r < 0)
		return r;
	text_copy(plan.bridge, sizeof plan.bridge, plan.settings.name);
	choose_bridge_mac(&plan);
	plan.has_ipv6 = *plan.settings.ipv6 && !ipv6_prefix_parse(plan.settings.ipv6, &plan.ipv6);
	r = link_get(ctx, plan.bridge, &plan.link);
	if (r < 0)
		return r;
	plan.manager = find_manager(&plan, false);
	r = ask_lxc_net(ctx, &plan);
	if (r == 0)
		r = take_subnet(ctx, &plan);
	if (r == 0)
		r = take_paths(ctx, &plan);
	if (r < 0)
		return r;
	*ret_plan = plan;
	plan = (struct network_plan){ 0 };
	return 0;
}

static void free_paths(struct network_plan *plan)
{
	free(plan->directory);
	free(plan->hosts_directory);
	free(plan->names_directory);
	free(plan->lease_file);
	free(plan->run_directory);
	free(plan->pid_file);
}

int network_plan_use_own(struct lb_context *ctx, struct network_plan *plan)
{
	int r;

	free_paths(plan);
	plan->by_lxc_net = false;
	plan->directory = plan->hosts_directory = plan->names_directory = NULL;
	plan->lease_file = plan->run_directory = plan->pid_file = NULL;
	r = take_subnet(ctx, plan);
	return r < 0 ? r : take_paths(ctx, plan);
}

void network_plan_ipv6(const struct network_plan *plan, const char *ipv4, char ret_ipv6[IPV6_TEXT_SIZE])
{
	uint32_t address;

	*ret_ipv6 = '\0';
	/* The subnet may have been changed since the container was made. */
	if (plan->has_ipv6 && ipv4_parse(ipv4, &address) &&
	    (address & subnet_netmask(&plan->subnet)) == plan->subnet.network)
		ipv6_of_guest(&plan->ipv6, address - plan->subnet.network, ret_ipv6);
}

const char *network_plan_watched(const struct network_plan *plan)
{
	return plan->settings.dhcp ? plan->hosts_directory : plan->names_directory;
}

void network_plan_free(struct network_plan *plan)
{
	free_paths(plan);
	*plan = (struct network_plan){ 0 };
}

/* mkdir(2) with exactly 0755, whatever the umask of the operator: dnsmasq reads there as a user of its own. */
static int make_readable(int dir_fd, const char *name)
{
	if (mkdirat(dir_fd, name, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	return fchmodat(dir_fd, name, 0755, 0) < 0 ? -errno : 0;
}

static int make_directories(struct lb_context *ctx, const struct network_plan *plan)
{
	CLEANUP_FD int network_fd = store_open_directory(ctx, STORE_NETWORK);
	CLEANUP_FD int fd = -1;
	int r;

	if (network_fd < 0)
		return network_fd;
	r = make_readable(network_fd, plan->bridge);
	if (r < 0)
		return fail_errno(ctx, r, "cannot make %s", plan->directory);
	fd = openat(network_fd, plan->bridge, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : make_readable(fd, "hosts.d");
	if (r == 0)
		r = make_readable(fd, "names.d");
	return r < 0 ? fail_errno(ctx, r, "cannot make %s", plan->hosts_directory) : 0;
}

int network_plan_open_hosts(struct lb_context *ctx, const struct network_plan *plan)
{
	int r, fd = open(plan->hosts_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		r = make_directories(ctx, plan);
		if (r < 0)
			return r;
		fd = open(plan->hosts_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd < 0 ? fail_errno(ctx, errno, "cannot open %s", plan->hosts_directory) : fd;
}
