/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Debian's lxc-net: the script that makes a bridge for all LXC containers of a host and runs a dnsmasq on it.
 * Its settings are shell assignments, read here without a shell; its own files are only ever added to.
 */
#pragma once

#include "../core/context.h"

#define LXC_NET_SETTINGS_FILE "/etc/default/lxc-net"
#define LXC_NET_PID_FILE "/run/lxc/dnsmasq.pid"
#define LXC_NET_LEASE_FILE "/var/lib/misc/dnsmasq.%s.leases" /* of the bridge's name */

enum { LXC_NET_CONF_FILE_MAX = 256, LXC_NET_DOMAIN_MAX = 256 };

/* The members are named like the settings, without LXC_. */
struct lxc_net_settings {
	bool use_bridge;
	bool dhcp_ping;
	char bridge[16];
	char bridge_mac[18];
	char address[16], netmask[16];
	char range_first[16], range_last[16];
	char dhcp_max[12];
	char dhcp_conf_file[LXC_NET_CONF_FILE_MAX]; /* "" where none is set */
	char domain[LXC_NET_DOMAIN_MAX];
	char ipv6_address[48], ipv6_mask[8], ipv6_network[56];
};

/* What lxc-net does where nothing is set. */
void lxc_net_set_defaults(struct lxc_net_settings *settings);

/*
 * Takes the assignments of @text (modified) over. -EINVAL with "FILE:LINE: ..." in @error where a setting
 * layerbox needs has a value that only a shell could find out, or one that is none.
 */
int lxc_net_parse(struct lxc_net_settings *settings, char *text, const char *file, char *error, size_t error_size);

int lxc_net_load(struct lb_context *ctx, struct lxc_net_settings *ret_settings);

/* Has lxc-net made its bridge since the host was booted? */
bool lxc_net_is_up(void);

/* Is it there to be started, by a systemd that runs this host? */
bool lxc_net_is_startable(void);

/* `systemctl start lxc-net`; the bridge may still be missing afterwards, where a condition of the unit is not met. */
int lxc_net_start(struct lb_context *ctx);

/*
 * Adds @line to the file that lxc-net gives its dnsmasq (LXC_DHCP_CONFILE; /etc/lxc/dnsmasq.conf where none
 * is set, which is then set), with @remark in a line before it. 0, or 1 when it was there already. What
 * else is in these files stays as it is.
 */
int lxc_net_add_conf_line(struct lb_context *ctx, struct lxc_net_settings *settings, const char *remark,
			  const char *line);

/* The arguments with which lxc-net would start its dnsmasq now. */
int lxc_net_dnsmasq_arguments(struct lb_context *ctx, const struct lxc_net_settings *settings, const char *user,
			      struct text_list *ret_arguments);
