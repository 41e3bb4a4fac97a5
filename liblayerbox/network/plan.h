/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One network as it is to be: who manages the bridge, which addresses there are, and which files belong to it.
 * Found out anew each time, from the network's settings and the kernel; nothing is kept.
 */
#pragma once

#include "../adapters/link.h"
#include "../adapters/lxc-net.h"
#include "../core/subnet.h"
#include "address.h"
#include "ipv6.h"
#include "settings.h"

/* The bridge's alias (`ip -details link`) by which layerbox knows what it made. */
#define NETWORK_ALIAS "layerbox"

struct network_plan {
	struct network_settings settings;
	char bridge[NETWORK_NAME_SIZE]; /* the network's name as well */
	char bridge_mac[MAC_TEXT_SIZE]; /* fixed, or the kernel changes it as ports come and go */
	struct link_state link;
	enum lb_network_manager manager;
	bool by_lxc_net;              /* it is lxc-net's, or will be once lxc-net is started */
	struct lxc_net_settings lxc_net; /* valid where by_lxc_net */
	struct subnet subnet;
	bool has_ipv6;
	struct ipv6_prefix ipv6;      /* valid where has_ipv6 */
	char *directory;              /* ROOT/network/BRIDGE */
	char *hosts_directory;        /* ROOT/network/BRIDGE/hosts.d: reservations */
	char *names_directory;        /* ROOT/network/BRIDGE/names.d: names of containers that do not ask DHCP */
	char *lease_file;
	char *run_directory;          /* RUNSTATEDIR/layerbox/network/BRIDGE */
	char *pid_file;               /* of the bridge's dnsmasq */
};

/* @network NULL or "": the default one. -LB_ERR_NO_NETWORK, -LB_ERR_BAD_CONFIG. */
int network_plan_make(struct lb_context *ctx, const char *network, struct network_plan *ret_plan);

/* Plans layerbox's own network after all, where lxc-net was found not to make the one it should. */
int network_plan_use_own(struct lb_context *ctx, struct network_plan *plan);

/* The address that follows from a container's IPv4 address; "" where the network has no IPv6. */
void network_plan_ipv6(const struct network_plan *plan, const char *ipv4, char ret_ipv6[IPV6_TEXT_SIZE]);

/* The directory by which one sees that dnsmasq serves this network: that of reservations, or of names without DHCP. */
const char *network_plan_watched(const struct network_plan *plan);

void network_plan_free(struct network_plan *plan);

#define CLEANUP_NETWORK_PLAN CLEANUP(network_plan_free)

/*
 * Opens the directory of reservations; where it is missing it is made, with modes that let dnsmasq's user read it. Its
 * parent, which also holds the leases and the cursor of address_choose(), and names.d beside it come with it.
 */
int network_plan_open_hosts(struct lb_context *ctx, const struct network_plan *plan);
