/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nft-message.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

static int nft_open(struct lb_context *ctx, struct nl_sock **ret_sock)
{
	int r = netlink_connect(NETLINK_NETFILTER, ret_sock);

	if (r == -NLE_NOMEM)
		return fail_memory(ctx);
	return r < 0 ? fail(ctx, -LB_ERR_KERNEL, "cannot talk to the kernel's nftables: %s", nl_geterror(r)) : 0;
}

struct nl_msg *nft_message(enum nft_family family, int type, int flags)
{
	struct nfgenmsg header = {
		.nfgen_family = family == NFT_FAMILY_BRIDGE ? NFPROTO_BRIDGE : NFPROTO_INET,
		.version = NFNETLINK_V0,
	};

	return netlink_request(NFNL_SUBSYS_NFTABLES << 8 | type, flags, &header, sizeof header);
}

/* What the receiver of an answer's messages needs. */
struct dump {
	nft_answer_fn fn;
	void *userdata;
	int result;
};

static int receive(struct nl_msg *message, void *userdata)
{
	struct dump *dump = userdata;

	dump->result = dump->fn(nlmsg_hdr(message), dump->userdata);
	return dump->result < 0 ? NL_STOP : NL_OK;
}

int nft_dump(struct lb_context *ctx, struct nl_msg *question, nft_answer_fn fn, void *userdata)
{
	CLEANUP_NETLINK struct nl_sock *sock = NULL;
	struct dump dump = { .fn = fn, .userdata = userdata };
	int r = nft_open(ctx, &sock);

	if (r < 0)
		return r;
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, receive, &dump);
	nlmsg_hdr(question)->nlmsg_seq = NL_AUTO_SEQ;
	r = nl_send_auto(sock, question);
	if (r >= 0)
		r = nl_recvmsgs_default(sock);
	if (dump.result < 0)
		return dump.result;
	if (r == -NLE_OBJ_NOTFOUND)
		return -ENOENT;
	if (r == -NLE_DUMP_INTR)
		return -EAGAIN;
	if (r == -NLE_PERM)
		return fail(ctx, -LB_ERR_NOT_ROOT, "looking at nftables needs root; run it again with sudo");
	return r < 0 ? fail(ctx, -LB_ERR_NETWORK, "cannot look at nftables: %s", nl_geterror(r)) : 0;
}
