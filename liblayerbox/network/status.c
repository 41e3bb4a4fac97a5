/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network.h"

#include <fcntl.h>

#include "../adapters/dnsmasq.h"
#include "../adapters/sysctl.h"
#include "firewall.h"
#include "ipv6-host.h"
#include "plan.h"
#include "reservation.h"

int network_require(struct lb_context *ctx, const char *network)
{
	const char *bridge = network_name(ctx, network);
	int up = link_is_up(bridge);

	if (up == 1)
		return 0;
	if (up == 0)
		return fail(ctx, -LB_ERR_NETWORK, "the bridge %s is down; bring it up with `layerbox net up`", bridge);
	return fail(ctx, -LB_ERR_NETWORK, "the bridge %s is not there; make it with `layerbox net up`", bridge);
}

/* How many reservations there are; none where nothing was ever reserved. */
static int count_reservations(struct lb_context *ctx, const struct network_plan *plan, unsigned *ret_count)
{
	CLEANUP_FD int fd = open(plan->hosts_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return fail_errno(ctx, errno, "cannot open %s", plan->hosts_directory);
	return reservation_count(ctx, fd, ret_count);
}

static int look(struct lb_context *ctx, const struct network_plan *plan, struct lb_network_status *status)
{
	int r;

	status->manager = plan->manager;
	status->is_default = plan->settings.is_default;
	text_copy(status->bridge, sizeof status->bridge, plan->bridge);
	text_copy(status->ipv6, sizeof status->ipv6, plan->settings.ipv6);
	status->isolated = plan->settings.isolated;
	status->antispoof = plan->settings.antispoof;
	status->dhcp = plan->settings.dhcp;
	status->mtu = plan->settings.mtu;
	subnet_format_gateway(&plan->subnet, status->address, sizeof status->address);
	if (plan->link.index)
		text_copy(status->address, sizeof status->address, plan->link.address);
	status->up = plan->link.up;
	status->dnsmasq_pid = dnsmasq_find(plan->pid_file);
	status->reservations_read =
		status->dnsmasq_pid && dnsmasq_watches(status->dnsmasq_pid, network_plan_watched(plan));
	status->firewall = firewall_is_up(plan->bridge);
	status->nat = !plan->by_lxc_net && status->firewall;
	status->pool_size = subnet_pool_size(&plan->subnet);
	r = count_reservations(ctx, plan, &status->pool_used);
	if (r == 0 && plan->link.is_bridge)
		r = link_count_ports(ctx, plan->bridge, plan->link.index, &status->ports);
	return r;
}

/* The bridge's address as it should be, with prefix length. */
static bool has_its_address(const struct network_plan *plan)
{
	char address[sizeof plan->link.address];

	subnet_format_gateway(&plan->subnet, address, sizeof address);
	return text_equal(address, plan->link.address);
}

static void warn_of_shortage(const struct network_plan *plan, struct lb_network_status *status)
{
	if (status->pool_used < status->pool_size && status->pool_used * 5 >= status->pool_size * 4)
		snprintf(status->warning, sizeof status->warning,
			 "%u of %u addresses of %s are reserved; delete containers, or make another network with "
			 "`layerbox net "
			 "create`",
			 status->pool_used, status->pool_size, plan->bridge);
}

static void note(struct lb_network_status *status, const char *format, ...) PRINTF_LIKE(2, 3);

static void note(struct lb_network_status *status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(status->problem, sizeof status->problem, format, args);
	va_end(args);
}

/* What is wrong with the bridge itself, the most important first; false where nothing is. */
static bool find_bridge_problem(const struct network_plan *plan, struct lb_network_status *status)
{
	if (!plan->link.index)
		note(status, "the bridge %s is not there; make it with `layerbox net up`", plan->bridge);
	else if (plan->manager == LB_NETWORK_FOREIGN)
		note(status, "%s was made by someone else; set another `bridge =` in layerbox.conf, or delete it",
		     plan->bridge);
	else if (!plan->link.up)
		note(status, "the bridge %s is down; bring it up with `layerbox net up`", plan->bridge);
	else if (!has_its_address(plan) || (plan->has_ipv6 && !network_ipv6_is_up(plan->bridge, &plan->ipv6)))
		note(status, "the bridge %s does not have the address it should have; `layerbox net up` says more",
		     plan->bridge);
	return *status->problem;
}

static void find_service_problem(const struct network_plan *plan, struct lb_network_status *status)
{
	if (!status->dnsmasq_pid)
		note(status, "no DHCP server runs on %s; start it with `layerbox net up`", plan->bridge);
	else if (!status->reservations_read)
		note(status,
		     "the DHCP server of %s does not read the reservations; put it right with `layerbox net up`",
		     plan->bridge);
	else if (!status->firewall && geteuid() == 0) /* others may not ask */
		note(status,
		     "nftables has no rules for %s: containers reach the host only; `layerbox net up` makes them",
		     plan->bridge);
	else if (!sysctl_is("net/ipv4/ip_forward", "1"))
		note(status,
		     "the kernel forwards no packets (net.ipv4.ip_forward is not 1); `layerbox net up` sets it");
	else if (status->pool_used >= status->pool_size)
		note(status, "every address of %s is reserved; delete containers, or give it a larger subnet",
		     plan->bridge);
}

int lb_network_get_status(struct lb_context *ctx, const char *name, struct lb_network_status *ret_status)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	struct lb_network_status status = { .size = ret_status->size };
	int r = CHECK_INPUT(ctx, ret_status, lb_network_status);

	if (r == 0)
		r = network_plan_make(ctx, name, &plan);
	if (r == 0)
		r = look(ctx, &plan, &status);
	if (r < 0)
		return r;
	if (!find_bridge_problem(&plan, &status))
		find_service_problem(&plan, &status);
	warn_of_shortage(&plan, &status);
	*ret_status = status;
	return 0;
}
