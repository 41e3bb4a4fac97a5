/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netlink.h"

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "../util/array.h"

enum { DUMPS_MAX = 5 };

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
	int r = message ? nl_send_auto(sock, message) : -NLE_NOMEM;

	return r < 0 ? r : nl_wait_for_ack(sock);
}

/* ---- lists ---- */

struct answers {
	struct nl_msg **items;
	size_t count, capacity;
};

static int keep_answer(struct nl_msg *message, void *userdata)
{
	struct answers *answers = userdata;
	struct nl_msg **items = array_grow(answers->items, answers->count, &answers->capacity, sizeof(struct nl_msg *));

	if (!items)
		return -NLE_NOMEM;
	nlmsg_get(message);
	answers->items = items;
	answers->items[answers->count++] = message;
	return NL_OK;
}

static void drop_answers(struct answers *answers)
{
	while (answers->count > 0)
		nlmsg_free(answers->items[--answers->count]);
}

static int dump_once(struct nl_sock *sock, struct nl_msg *question, struct answers *answers)
{
	int r;

	drop_answers(answers);
	nlmsg_hdr(question)->nlmsg_seq = NL_AUTO_SEQ;
	r = nl_send_auto(sock, question);
	return r < 0 ? r : nl_recvmsgs_default(sock);
}

int netlink_dump(struct nl_sock *sock, struct nl_msg *question, netlink_answer_fn fn, void *userdata)
{
	struct answers answers = { 0 };
	int r = question ? -NLE_DUMP_INTR : -NLE_NOMEM;

	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, keep_answer, &answers);
	for (int i = 0; r == -NLE_DUMP_INTR && i < DUMPS_MAX; i++)
		r = dump_once(sock, question, &answers);
	if (r == -NLE_DUMP_INTR)
		r = 0;
	for (size_t i = 0; r >= 0 && i < answers.count; i++)
		r = fn(answers.items[i], userdata);
	drop_answers(&answers);
	free(answers.items);
	return r < 0 ? r : 0;
}
