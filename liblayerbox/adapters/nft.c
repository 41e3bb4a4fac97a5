/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nft-message.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "../util/spawn.h"

enum { DUMP_TRIES = 5 };

int nft_require(struct lb_context *ctx)
{
	CLEANUP_FREE char *path = NULL;

	if (spawn_find("nft", &path))
		return 0;
	return fail(ctx, -LB_ERR_NO_PROGRAM,
		    "nft, by which containers reach the world beyond the host, is not installed: `apt install "
		    "nftables`");
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

bool nft_has_table(enum nft_family family, const char *table)
{
	CLEANUP_NETLINK struct nl_sock *sock = nl_socket_alloc();
	struct nl_msg *message = nft_message(family, NFT_MSG_GETTABLE, 0);

	if (sock && message && nla_put_string(message, NFTA_TABLE_NAME, table) == 0 &&
	    nl_connect(sock, NETLINK_NETFILTER) == 0)
		return nl_send_sync(sock, message) >= 0; /* frees the message */
	nlmsg_free(message);
	return false;
}

/* FNV-1a in 64 bits. */
static void add_bytes(uint64_t *hash, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++)
		*hash = (*hash ^ bytes[i]) * 0x100000001b3;
}

static void add_attribute(uint64_t *hash, struct nlattr *attribute)
{
	if (attribute)
		add_bytes(hash, nla_data(attribute), (size_t)nla_len(attribute));
	add_bytes(hash, "", 1);
}

/* Handles and counts of users are left out: they differ each time the same table is made. */
static int hash_table(struct nlmsghdr *header, void *userdata)
{
	add_attribute(userdata, nlmsg_find_attr(header, sizeof(struct nfgenmsg), NFTA_TABLE_FLAGS));
	return 0;
}

static int hash_chain(struct nlmsghdr *header, void *userdata)
{
	static const int attributes[] = { NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, NFTA_CHAIN_HOOK, NFTA_CHAIN_POLICY };

	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
		add_attribute(userdata, nlmsg_find_attr(header, sizeof(struct nfgenmsg), attributes[i]));
	return 0;
}

static int hash_rule(struct nlmsghdr *header, void *userdata)
{
	add_attribute(userdata, nlmsg_find_attr(header, sizeof(struct nfgenmsg), NFTA_RULE_CHAIN));
	add_attribute(userdata, nlmsg_find_attr(header, sizeof(struct nfgenmsg), NFTA_RULE_EXPRESSIONS));
	return 0;
}

/* The kernel gives all chains of a family, whatever table is asked for. */
struct chains {
	const char *table;
	uint64_t *hash;
};

static int hash_chain_of_table(struct nlmsghdr *header, void *userdata)
{
	const struct chains *chains = userdata;
	struct nlattr *table = nlmsg_find_attr(header, sizeof(struct nfgenmsg), NFTA_CHAIN_TABLE);

	return table && nla_strcmp(table, chains->table) == 0 ? hash_chain(header, chains->hash) : 0;
}

static int ask(struct lb_context *ctx, enum nft_family family, const char *table, int type, int attribute, int flags,
	       nft_answer_fn fn, void *userdata)
{
	CLEANUP_MESSAGE struct nl_msg *question = nft_message(family, type, flags);

	if (!question || nla_put_string(question, attribute, table) < 0)
		return fail_memory(ctx);
	return nft_dump(ctx, question, fn, userdata);
}

static int take_fingerprint(struct lb_context *ctx, enum nft_family family, const char *table, uint64_t *ret_hash)
{
	struct chains chains = { .table = table, .hash = ret_hash };
	int r;

	*ret_hash = 0xcbf29ce484222325;
	r = ask(ctx, family, table, NFT_MSG_GETTABLE, NFTA_TABLE_NAME, 0, hash_table, ret_hash);
	if (r == 0)
		r = ask(ctx, family, table, NFT_MSG_GETCHAIN, NFTA_CHAIN_TABLE, NLM_F_DUMP, hash_chain_of_table,
			&chains);
	if (r == 0)
		r = ask(ctx, family, table, NFT_MSG_GETRULE, NFTA_RULE_TABLE, NLM_F_DUMP, hash_rule, ret_hash);
	return r;
}

int nft_fingerprint(struct lb_context *ctx, enum nft_family family, const char *table, uint64_t *ret_fingerprint)
{
	int r = -EAGAIN;

	/* Someone who changes nftables meanwhile makes an answer void. */
	for (int i = 0; i < DUMP_TRIES && r == -EAGAIN; i++)
		r = take_fingerprint(ctx, family, table, ret_fingerprint);
	return r == -EAGAIN ? fail(ctx, -LB_ERR_BUSY, "nftables is being changed all the time") : r;
}
