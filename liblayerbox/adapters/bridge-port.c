/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bridge-port.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <sys/socket.h>

#include "../util/array.h"
#include "netlink.h"

struct port_list {
	int index;                    /* of the bridge */
	struct bridge_port *items;
	size_t count, capacity;
	bool failed;
};

static bool is_isolated(struct nlattr *info)
{
	struct nlattr *data = info ? nla_find(nla_data(info), nla_len(info), IFLA_INFO_SLAVE_DATA) : NULL;
	struct nlattr *flag = data ? nla_find(nla_data(data), nla_len(data), IFLA_BRPORT_ISOLATED) : NULL;

	return flag && nla_get_u8(flag);
}

static int add_port(struct nl_msg *message, void *userdata)
{
	const int header = sizeof(struct ifinfomsg);
	struct port_list *list = userdata;
	struct nlmsghdr *head = nlmsg_hdr(message);
	struct nlattr *master = nlmsg_find_attr(head, header, IFLA_MASTER);
	struct nlattr *name = nlmsg_find_attr(head, header, IFLA_IFNAME);
	struct bridge_port *port, *items;

	/* An old kernel does not filter. */
	if (!master || (int)nla_get_u32(master) != list->index || !name)
		return NL_OK;
	items = array_grow(list->items, list->count, &list->capacity, sizeof *items);
	if (!items) {
		list->failed = true;
		return NL_OK;
	}
	list->items = items;
	port = &list->items[list->count++];
	*port = (struct bridge_port){
		.index = ((struct ifinfomsg *)nlmsg_data(head))->ifi_index,
		.isolated = is_isolated(nlmsg_find_attr(head, header, IFLA_LINKINFO)),
	};
	text_copy(port->name, sizeof port->name, nla_get_string(name));
	return NL_OK;
}

int bridge_port_list(struct lb_context *ctx, const char *name, int index, struct bridge_port **ret_ports,
		     size_t *ret_count)
{
	const struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	CLEANUP_MESSAGE struct nl_msg *message = netlink_request(RTM_GETLINK, NLM_F_DUMP, &header, sizeof header);
	struct port_list list = { .index = index };
	int r = netlink_open(ctx, &sock);

	if (r < 0)
		return r;
	if (!message || nla_put_u32(message, IFLA_MASTER, (uint32_t)index) < 0 ||
	    nla_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0)
		return fail_memory(ctx);
	r = netlink_dump(sock, message, add_port, &list);
	if (r < 0 || list.failed) {
		free(list.items);
		return list.failed ? fail_memory(ctx) : netlink_fail(ctx, r, "listing the ports of", name);
	}
	*ret_ports = list.items;
	*ret_count = list.count;
	return 0;
}

/* libnl 3.7 has no call for it. */
int bridge_port_set_isolated(struct lb_context *ctx, const char *name, bool isolated)
{
	const struct ifinfomsg header = { .ifi_family = AF_BRIDGE, .ifi_index = (int)if_nametoindex(name) };
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	CLEANUP_MESSAGE struct nl_msg *message = netlink_request(RTM_SETLINK, 0, &header, sizeof header);
	struct nlattr *port;
	int r = netlink_open(ctx, &sock);

	if (r < 0)
		return r;
	port = message ? nla_nest_start(message, IFLA_PROTINFO) : NULL;
	if (!port || nla_put_u8(message, IFLA_BRPORT_ISOLATED, isolated) < 0)
		return fail_memory(ctx);
	nla_nest_end(message, port);
	r = header.ifi_index ? netlink_do(sock, message) : -NLE_NODEV;
	return r < 0 ? netlink_fail(ctx, r, "isolating the bridge's port", name) : 0;
}

static int read_flag(struct nl_msg *message, void *userdata)
{
	bool *isolated = userdata;

	*isolated = is_isolated(nlmsg_find_attr(nlmsg_hdr(message), sizeof(struct ifinfomsg), IFLA_LINKINFO));
	return NL_OK;
}

int bridge_port_is_isolated(struct lb_context *ctx, const char *name)
{
	const struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(name) };
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	CLEANUP_MESSAGE struct nl_msg *message = netlink_request(RTM_GETLINK, 0, &header, sizeof header);
	bool isolated = false;
	int r = netlink_open(ctx, &sock);

	if (r < 0)
		return r;
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, read_flag, &isolated);
	r = header.ifi_index ? netlink_do(sock, message) : -NLE_NODEV;
	return r < 0 ? netlink_fail(ctx, r, "looking at the bridge's port", name) : isolated;
}
