/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netlink.h"

#include <netlink/msg.h>
#include <netlink/netlink.h>

int netlink_fail(struct lb_context *ctx, int error, const char *what, const char *name)
{
	if (error == -NLE_PERM)
		return fail(ctx, -LB_ERR_NOT_ROOT, "%s %s needs root; run it again with sudo", what, name);
	return fail(ctx, -LB_ERR_NETWORK, "%s %s failed: %s", what, name, nl_geterror(error));
}

int netlink_connect(int protocol, struct nl_sock **ret_sock)
{
	CLEANUP_NETLINK struct nl_sock *sock = nl_socket_alloc();
	int r = sock ? nl_connect(sock, protocol) : -NLE_NOMEM;

	if (r == 0)
		*ret_sock = TAKE_PTR(sock);
	return r;
}

int netlink_open(struct lb_context *ctx, struct nl_sock **ret_sock)
{
	int r = netlink_connect(NETLINK_ROUTE, ret_sock);

	if (r == -NLE_NOMEM)
		return fail_memory(ctx);
	return r < 0 ? netlink_fail(ctx, r, "asking the kernel about", "the network") : 0;
}

void netlink_close(struct nl_sock **sock)
{
	nl_socket_free(*sock);
}

struct nl_msg *netlink_request(int type, int flags, const void *header, size_t size)
{
	struct nl_msg *message = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);
	void *place = message ? nlmsg_reserve(message, size, NLMSG_ALIGNTO) : NULL;

	if (place) {
		memcpy(place, header, size);
		return message;
	}
	nlmsg_free(message);
	return NULL;
}

void netlink_free(struct nl_msg **message)
{
	nlmsg_free(*message);
}

int netlink_do(struct nl_sock *sock, struct nl_msg *message)
{
	bool is_dump = message && (nlmsg_hdr(message)->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	int r = message ? nl_send_auto(sock, message) : -NLE_NOMEM;

	if (r < 0)
		return r;
	return is_dump ? nl_recvmsgs_default(sock) : nl_wait_for_ack(sock);
}
