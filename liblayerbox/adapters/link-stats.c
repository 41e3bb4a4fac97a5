/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link-stats.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <sys/socket.h>

#include "../util/array.h"
#include "netlink.h"

static int look(struct nl_msg *message, void *userdata)
{
	const int header = sizeof(struct ifinfomsg);
	struct link_stats_list *list = userdata;
	struct nlmsghdr *head = nlmsg_hdr(message);
	struct nlattr *name = nlmsg_find_attr(head, header, IFLA_IFNAME);
	struct nlattr *stats = nlmsg_find_attr(head, header, IFLA_STATS64);
	struct rtnl_link_stats64 numbers = { 0 };
	struct link_stats *items;

	if (!name || !stats)
		return NL_OK;
	items = array_grow(list->items, list->count, &list->capacity, sizeof *items);
	if (!items)
		return -NLE_NOMEM;
	list->items = items;
	items += list->count;
	/* Kernels have added to its end. */
	nla_memcpy(&numbers, stats, sizeof numbers);
	*items = (struct link_stats){
		.received = { numbers.rx_bytes, numbers.rx_packets, numbers.rx_errors, numbers.rx_dropped },
		.sent = { numbers.tx_bytes, numbers.tx_packets, numbers.tx_errors, numbers.tx_dropped },
	};
	if (text_copy(items->name, sizeof items->name, nla_get_string(name)))
		list->count++;
	return NL_OK;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct link_stats *)a)->name, ((const struct link_stats *)b)->name);
}

int link_stats_load(struct lb_context *ctx, struct link_stats_list *ret_list)
{
	const struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	CLEANUP_MESSAGE struct nl_msg *message = netlink_request(RTM_GETLINK, NLM_F_DUMP, &header, sizeof header);
	struct link_stats_list list = { 0 };
	int r = netlink_open(ctx, &sock);

	if (r < 0)
		return r;
	r = netlink_dump(sock, message, look, &list);
	if (r < 0) {
		link_stats_free(&list);
		return netlink_fail(ctx, r, "asking for the statistics of", "the interfaces");
	}
	if (list.count > 1)
		qsort(list.items, list.count, sizeof *list.items, compare);
	*ret_list = list;
	return 0;
}

static int compare_name(const void *name, const void *item)
{
	return strcmp(name, ((const struct link_stats *)item)->name);
}

const struct link_stats *link_stats_find(const struct link_stats_list *list, const char *name)
{
	return list->count ? bsearch(name, list->items, list->count, sizeof *list->items, compare_name) : NULL;
}

void link_stats_free(struct link_stats_list *list)
{
	free(list->items);
	*list = (struct link_stats_list){ 0 };
}
