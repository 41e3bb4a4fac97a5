/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link-group.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "../util/thread.h"
#include "netlink.h"

/* What one look at all interfaces is for. */
struct survey {
	const char *const *names;
	uint32_t group;               /* in which nobody may be yet */
	bool group_is_used;
	int *indexes;                 /* of the veths among @names, room for all */
	size_t count, capacity;
};

static bool is_veth(struct nlattr *info)
{
	struct nlattr *kind = info ? nla_find(nla_data(info), nla_len(info), IFLA_INFO_KIND) : NULL;

	return kind && text_equal(nla_get_string(kind), "veth");
}

static bool is_wanted(const struct survey *survey, const char *name)
{
	for (const char *const *wanted = survey->names; *wanted; wanted++)
		if (text_equal(*wanted, name))
			return true;
	return false;
}

static int look(struct nl_msg *message, void *userdata)
{
	const int header = sizeof(struct ifinfomsg);
	struct survey *survey = userdata;
	struct nlmsghdr *head = nlmsg_hdr(message);
	struct nlattr *name = nlmsg_find_attr(head, header, IFLA_IFNAME);
	struct nlattr *group = nlmsg_find_attr(head, header, IFLA_GROUP);

	if (group && nla_get_u32(group) == survey->group)
		survey->group_is_used = true;
	if (name && survey->count < survey->capacity && is_veth(nlmsg_find_attr(head, header, IFLA_LINKINFO)) &&
	    is_wanted(survey, nla_get_string(name)))
		survey->indexes[survey->count++] = ((struct ifinfomsg *)nlmsg_data(head))->ifi_index;
	return NL_OK;
}

static int look_at_all(struct lb_context *ctx, struct survey *survey)
{
	const struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	CLEANUP_MESSAGE struct nl_msg *message = netlink_request(RTM_GETLINK, NLM_F_DUMP, &header, sizeof header);
	int r = netlink_open(ctx, &sock);

	if (r < 0)
		return r;
	if (!message || nla_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0)
		return fail_memory(ctx);
	r = netlink_dump(sock, message, look, survey);
	return r < 0 ? netlink_fail(ctx, r, "listing", "the interfaces") : 0;
}

/* RTM_SETLINK: interface @index joins the group; RTM_DELLINK, @index 0: all of the group go. */
static int request(struct nl_sock *sock, int type, int index, uint32_t group)
{
	const struct ifinfomsg header = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	CLEANUP_MESSAGE struct nl_msg *message = netlink_request(type, 0, &header, sizeof header);

	if (!message || nla_put_u32(message, IFLA_GROUP, group) < 0)
		return -NLE_NOMEM;
	return netlink_do(sock, message);
}

static int find(struct lb_context *ctx, struct survey *survey)
{
	int r;

	/* One of four thousand million numbers, and nobody in it: whoever uses groups has given them small ones. */
	if (getrandom(&survey->group, sizeof survey->group, 0) != sizeof survey->group)
		return fail_errno(ctx, errno, "cannot choose a group for interfaces");
	survey->group |= 1U << 31;
	r = look_at_all(ctx, survey);
	if (r == 0 && survey->group_is_used)
		return fail(ctx, -LB_ERR_NETWORK, "the group of interfaces %u is in use", survey->group);
	return r;
}

static void *delete_all(void *data)
{
	struct link_deletion *deletion = data;

	deletion->result = request(deletion->sock, RTM_DELLINK, 0, deletion->group);
	return NULL;
}

int link_deletion_begin(struct lb_context *ctx, const char *const *names, struct link_deletion *ret_deletion)
{
	CLEANUP_FREE int *indexes = NULL;
	struct survey survey = { .names = names };
	size_t joined = 0;
	int r;

	*ret_deletion = (struct link_deletion){ 0 };
	while (names[survey.capacity])
		survey.capacity++;
	survey.indexes = indexes = calloc(survey.capacity + 1, sizeof *indexes);
	r = indexes ? find(ctx, &survey) : fail_memory(ctx);
	if (r < 0 || !survey.count)
		return r;
	ret_deletion->group = survey.group;
	r = netlink_open(ctx, &ret_deletion->sock);
	if (r < 0)
		return r;
	/* One that went meanwhile is no failure. */
	for (size_t i = 0; i < survey.count; i++) {
		r = request(ret_deletion->sock, RTM_SETLINK, indexes[i], survey.group);
		if (r < 0 && r != -NLE_NODEV)
			return netlink_fail(ctx, r, "grouping", "interfaces");
		joined += r == 0;
	}
	ret_deletion->has_thread =
		joined && thread_begin(&ret_deletion->thread, NULL, delete_all, ret_deletion) == 0;
	if (joined && !ret_deletion->has_thread)
		delete_all(ret_deletion);
	return 0;
}

int link_deletion_end(struct lb_context *ctx, struct link_deletion *deletion)
{
	int r;

	if (deletion->has_thread)
		pthread_join(deletion->thread, NULL);
	nl_socket_free(deletion->sock);
	r = deletion->result;
	*deletion = (struct link_deletion){ 0 };
	if (r < 0 && r != -NLE_NODEV)
		return netlink_fail(ctx, r, "deleting", "a group of interfaces");
	return 0;
}
