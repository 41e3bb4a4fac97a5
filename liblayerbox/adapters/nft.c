/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nft.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "../util/spawn.h"

int nft_require(struct lb_context *ctx)
{
	CLEANUP_FREE char *path = NULL;

	if (spawn_find("nft", &path))
		return 0;
	return fail(ctx, -LB_ERR_NO_PROGRAM,
		    "nft, by which containers reach the world beyond the host, is not installed: `apt install nftables`");
}

int nft_apply(struct lb_context *ctx, const char *rules)
{
	const char *const argv[] = { "nft", "-f", "-", NULL };
	const struct spawn_options options = { .input = rules };
	CLEANUP_FREE char *output = NULL;
	int status, r = spawn_run(argv, &options, &status, &output);

	if (r == -ENOENT)
		return nft_require(ctx) < 0 ? -LB_ERR_NO_PROGRAM : -ENOENT;
	if (r < 0)
		return fail_errno(ctx, r, "cannot run nft");
	if (status != 0)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED, "nft refused layerbox's rules, and nothing was changed: %s",
			    text_printable(text_trim(output)));
	return 0;
}

static struct nl_msg *make_question(const char *name)
{
	struct nfgenmsg header = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
	struct nl_msg *message = nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, NLM_F_REQUEST);

	if (!message)
		return NULL;
	if (nlmsg_append(message, &header, sizeof header, NLMSG_ALIGNTO) == 0 &&
	    nla_put_string(message, NFTA_TABLE_NAME, name) == 0)
		return message;
	nlmsg_free(message);
	return NULL;
}

bool nft_has_table(const char *name)
{
	struct nl_sock *sock = nl_socket_alloc();
	struct nl_msg *message = make_question(name);
	bool there = false;

	if (sock && message && nl_connect(sock, NETLINK_NETFILTER) == 0) {
		there = nl_send_sync(sock, message) >= 0; /* frees the message */
		message = NULL;
	}
	if (message)
		nlmsg_free(message);
	nl_socket_free(sock);
	return there;
}
