/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "up.h"

#include "../adapters/dnsmasq.h"
#include "guests.h"

/*
 * lxc-net's dnsmasq is pointed to the directory itself, not to a file of ours that includes it: a directory
 * that is gone some day (a root that was moved or deleted) is passed over with a line in the log, while a
 * file that is gone would keep dnsmasq, and with it every container of the host, from starting.
 */
static int add_reservations(struct lb_context *ctx, struct network_plan *plan)
{
	CLEANUP_FREE char *line = text_format("dhcp-hostsdir=%s", plan->hosts_directory);
	CLEANUP_FREE char *names = text_format("hostsdir=%s", plan->names_directory);
	int r, s;

	if (!line || !names)
		return fail_memory(ctx);
	r = lxc_net_add_conf_line(ctx, &plan->lxc_net, "The reservations of layerbox's containers.", line);
	if (r < 0)
		return r;
	s = lxc_net_add_conf_line(ctx, &plan->lxc_net, "The names of those with fixed addresses.", names);
	return s < 0 ? s : r && s;
}

/* NAME.DOMAIN shall work beside NAME; a domain that the host has chosen is left alone. */
static int add_domain(struct lb_context *ctx, struct network_plan *plan)
{
	CLEANUP_FREE char *domain = text_format("domain=%s", ctx->config.domain);
	CLEANUP_FREE char *local = text_format("local=/%s/", ctx->config.domain);
	int r, s;

	if (!text_empty(plan->lxc_net.domain))
		return 1;
	if (!domain || !local)
		return fail_memory(ctx);
	r = lxc_net_add_conf_line(ctx, &plan->lxc_net, "The domain of containers' names, since LXC_DOMAIN is not set.",
				  domain);
	if (r < 0)
		return r;
	s = lxc_net_add_conf_line(ctx, &plan->lxc_net, "Names in it are not asked for elsewhere.", local);
	return s < 0 ? s : r && s;
}

static int start_dead(struct lb_context *ctx, const struct network_plan *plan)
{
	CLEANUP_TEXT_LIST struct text_list arguments = { 0 };
	int r = lxc_net_dnsmasq_arguments(ctx, &plan->lxc_net, dnsmasq_user(), &arguments);

	if (r == 0)
		r = dnsmasq_start_with(ctx, &arguments, plan->pid_file);
	if (r == 0)
		log_message(ctx, LB_LOG_INFO, "started the dnsmasq of lxc-net again, which did not run any more");
	return r;
}

static int restart(struct lb_context *ctx, const struct network_plan *plan)
{
	int r = dnsmasq_restart(ctx, plan->pid_file, plan->lxc_net.dhcp_conf_file);

	if (r < 0)
		return r;
	if (!dnsmasq_comes_to_watch(plan->pid_file, plan->hosts_directory))
		return fail(ctx, -LB_ERR_NETWORK,
			    "the dnsmasq of lxc-net does not read %s, though %s says so; is that file all right?",
			    plan->hosts_directory, plan->lxc_net.dhcp_conf_file);
	log_message(ctx, LB_LOG_INFO,
		    "restarted the dnsmasq of lxc-net once, so that it reads %s; its bridge was not touched",
		    plan->hosts_directory);
	return 0;
}

int network_up_lxc_net(struct lb_context *ctx, struct network_plan *plan)
{
	CLEANUP_FD int hosts_fd = network_plan_open_hosts(ctx, plan);
	int reservations, domain, firewall;
	pid_t pid;
	int r;

	if (hosts_fd < 0)
		return hosts_fd;
	r = dnsmasq_check_readable(ctx, plan->hosts_directory);
	if (r < 0)
		return r;
	if (!plan->link.up)
		return fail(ctx, -LB_ERR_NETWORK, "lxc-net's bridge %s is down; see `systemctl status lxc-net`",
			    plan->bridge);
	reservations = add_reservations(ctx, plan);
	if (reservations < 0)
		return reservations;
	domain = add_domain(ctx, plan);
	if (domain < 0)
		return domain;
	firewall = guests_apply(ctx, plan);
	if (firewall < 0)
		return firewall;
	pid = dnsmasq_find(plan->pid_file);
	if (!pid)
		return start_dead(ctx, plan);
	if (!dnsmasq_watches(pid, plan->hosts_directory))
		return restart(ctx, plan);
	return reservations && domain && firewall;
}
