/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nft-message.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { TRIES = 5, ANSWER_SECONDS = 10, ANSWER_BYTES_MAX = 8192, ROOM_BYTES = 1 << 20 };

/* What becomes of a change in the next try. */
enum fate { SEND, LEAVE_OUT, REPLACE };

/* One transaction on its way: the messages bear the numbers of their changes, from 1 on. */
struct batch {
	const struct nft_change *changes;
	size_t count;
	enum fate *fates;
	struct buffer buffer;
	bool again;                   /* the kernel refused it for what another try does otherwise */
	bool any;                     /* something is in it */
};

static void free_batch(struct batch *batch)
{
	free(batch->fates);
	buffer_free(&batch->buffer);
}

static int put_value(struct nl_msg *message, int attribute, const void *value, size_t length)
{
	struct nlattr *nest = nla_nest_start(message, attribute | NLA_F_NESTED);

	if (!nest || nla_put(message, NFTA_DATA_VALUE, (int)length, value) < 0)
		return -ENOMEM;
	return nla_nest_end(message, nest) < 0 ? -ENOMEM : 0;
}

static int put_verdict(struct nl_msg *message, const char *chain)
{
	struct nlattr *data = nla_nest_start(message, NFTA_SET_ELEM_DATA | NLA_F_NESTED), *verdict;

	verdict = data ? nla_nest_start(message, NFTA_DATA_VERDICT | NLA_F_NESTED) : NULL;
	if (!verdict || nla_put_u32(message, NFTA_VERDICT_CODE, htonl((uint32_t)NFT_JUMP)) < 0 ||
	    nla_put_string(message, NFTA_VERDICT_CHAIN, chain) < 0)
		return -ENOMEM;
	nla_nest_end(message, verdict);
	nla_nest_end(message, data);
	return 0;
}

static int put_element(struct nl_msg *message, const struct nft_change *change, bool with_data)
{
	const struct nft_element *element = &change->element;
	struct nlattr *list, *entry;
	int r = 0;

	if (nla_put_string(message, NFTA_SET_ELEM_LIST_TABLE, change->table) < 0 ||
	    nla_put_string(message, NFTA_SET_ELEM_LIST_SET, change->name) < 0)
		return -ENOMEM;
	list = nla_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED);
	entry = list ? nla_nest_start(message, NFTA_LIST_ELEM | NLA_F_NESTED) : NULL;
	if (!entry || put_value(message, NFTA_SET_ELEM_KEY, element->key, element->key_length) < 0)
		return -ENOMEM;
	if (with_data && element->data_length)
		r = put_value(message, NFTA_SET_ELEM_DATA, element->data, element->data_length);
	else if (with_data && *element->object)
		r = nla_put_string(message, NFTA_SET_ELEM_OBJREF, element->object) < 0 ? -ENOMEM : 0;
	else if (with_data && *element->chain)
		r = put_verdict(message, element->chain);
	nla_nest_end(message, entry);
	nla_nest_end(message, list);
	return r;
}

static int put_limit(struct nl_msg *message, const struct nft_change *change, bool with_data)
{
	struct nlattr *data;

	if (nla_put_string(message, NFTA_OBJ_TABLE, change->table) < 0 ||
	    nla_put_string(message, NFTA_OBJ_NAME, change->name) < 0 ||
	    nla_put_u32(message, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_LIMIT)) < 0)
		return -ENOMEM;
	if (!with_data)
		return 0;
	/* The kernel's bucket holds one unit's worth, a second, beside the burst: there is no smaller one. */
	data = nla_nest_start(message, NFTA_OBJ_DATA | NLA_F_NESTED);
	if (!data || nla_put_u64(message, NFTA_LIMIT_RATE, htobe64(change->rate)) < 0 ||
	    nla_put_u64(message, NFTA_LIMIT_UNIT, htobe64(1)) < 0 ||
	    nla_put_u32(message, NFTA_LIMIT_BURST, htonl(0)) < 0 ||
	    nla_put_u32(message, NFTA_LIMIT_TYPE, htonl(NFT_LIMIT_PKT_BYTES)) < 0 ||
	    nla_put_u32(message, NFTA_LIMIT_FLAGS, htonl(NFT_LIMIT_F_INV)) < 0)
		return -ENOMEM;
	nla_nest_end(message, data);
	return 0;
}

static void add_message(struct buffer *buffer, struct nl_msg *message, size_t number)
{
	struct nlmsghdr *header = nlmsg_hdr(message);

	header->nlmsg_seq = (uint32_t)number;
	buffer_add(buffer, header, NLMSG_ALIGN(header->nlmsg_len));
}

/* Every message asks for a receipt: which of them the kernel did not like is in these alone. */
static int add_action(struct batch *batch, size_t number, enum nft_action action)
{
	const struct nft_change *change = batch->changes + number - 1;
	bool adds = action == NFT_ADD_ELEMENT || action == NFT_ADD_LIMIT;
	bool limit = action == NFT_ADD_LIMIT || action == NFT_REMOVE_LIMIT;
	int flags = NLM_F_ACK | (adds ? NLM_F_CREATE : 0), type, r;
	CLEANUP_MESSAGE struct nl_msg *message = NULL;

	if (limit)
		type = adds ? NFT_MSG_NEWOBJ : NFT_MSG_DELOBJ;
	else
		type = adds ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM;
	message = nft_message(change->family, type, flags);
	if (!message)
		return -ENOMEM;
	r = limit ? put_limit(message, change, adds) : put_element(message, change, adds);
	if (r == 0)
		add_message(&batch->buffer, message, number);
	return r;
}

static int add_edge(struct buffer *buffer, int type)
{
	struct nfgenmsg header = { .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };
	CLEANUP_MESSAGE struct nl_msg *message = netlink_request(type, 0, &header, sizeof header);

	if (!message)
		return -ENOMEM;
	add_message(buffer, message, 0);
	return 0;
}

static int fill(struct batch *batch)
{
	int r = add_edge(&batch->buffer, NFNL_MSG_BATCH_BEGIN);

	batch->any = false;
	for (size_t i = 0; r == 0 && i < batch->count; i++) {
		if (batch->fates[i] == LEAVE_OUT)
			continue;
		batch->any = true;
		if (batch->fates[i] == REPLACE)
			r = add_action(batch, i + 1, NFT_REMOVE_ELEMENT);
		if (r == 0)
			r = add_action(batch, i + 1, batch->changes[i].action);
	}
	if (r == 0)
		r = add_edge(&batch->buffer, NFNL_MSG_BATCH_END);
	return batch->buffer.failed ? -ENOMEM : r;
}

/* The kernel has refused a change: is that something to do otherwise? */
static int judge(struct batch *batch, size_t number, int error)
{
	enum nft_action action = batch->changes[number - 1].action;
	enum fate *fate = batch->fates + number - 1;
	bool removes = action == NFT_REMOVE_ELEMENT || action == NFT_REMOVE_LIMIT;

	if (error == -ENOENT && removes)
		*fate = LEAVE_OUT;
	else if ((error == -EBUSY || error == -EEXIST) && action == NFT_ADD_ELEMENT && *fate == SEND)
		*fate = REPLACE;
	else
		return error;
	batch->again = true;
	return 0;
}

/* Takes what one datagram says; *@left counts the receipts that are still to come. */
static int take_receipts(struct batch *batch, struct nlmsghdr *header, int length, size_t *left)
{
	int result = 0;

	for (; nlmsg_ok(header, length); header = nlmsg_next(header, &length)) {
		const struct nlmsgerr *receipt = nlmsg_data(header);
		int r = receipt->error;

		if (header->nlmsg_type != NLMSG_ERROR)
			continue;
		/* One for the whole comes alone: no rights, or no room. */
		if (header->nlmsg_seq == 0)
			return r;
		if (*left)
			(*left)--;
		if (r < 0 && header->nlmsg_seq <= batch->count)
			r = judge(batch, header->nlmsg_seq, r);
		if (r < 0)
			result = r;
	}
	return result;
}

static size_t count_messages(const struct batch *batch)
{
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++)
		count += batch->fates[i] == REPLACE ? 2 : batch->fates[i] == SEND;
	return count;
}

static int exchange(int fd, struct batch *batch)
{
	size_t left = count_messages(batch);
	int result = 0;

	if (send(fd, batch->buffer.data, batch->buffer.length, 0) < 0)
		return -errno;
	while (left > 0) {
		_Alignas(struct nlmsghdr) char answer[ANSWER_BYTES_MAX];
		ssize_t length = recv(fd, answer, sizeof answer, 0);
		size_t before = left;
		int r;

		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return length < 0 && errno != EAGAIN ? -errno : -ETIMEDOUT;
		r = take_receipts(batch, (struct nlmsghdr *)answer, (int)length, &left);
		if (r < 0)
			result = r;
		if (left == before)
			break;
	}
	return result;
}

/*
 * The connection is kept in the context: the kernel makes whoever closes one wait until what was removed is
 * freed, some milliseconds, and there may be many containers to remove.
 */
static int connect_kernel(struct lb_context *ctx)
{
	const struct timeval patience = { .tv_sec = ANSWER_SECONDS };
	const int on = 1, room = ROOM_BYTES;
	int fd;

	if (ctx->nft_fd >= 0)
		return 0;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0)
		return fail_errno(ctx, errno, "cannot talk to the kernel's nftables");
	/* Receipts need not repeat the message they are for; and a kernel that is silent is not waited for. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	ctx->nft_fd = fd;
	return 0;
}

/* After a failure receipts may still be on their way; the next change shall not take them for its own. */
static void disconnect(struct lb_context *ctx)
{
	close_fd(take_fd(&ctx->nft_fd));
}

static int try_batch(int fd, struct batch *batch)
{
	int r = -EAGAIN;

	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		buffer_free(&batch->buffer);
		batch->again = false;
		r = fill(batch);
		if (r < 0 || !batch->any)
			return r;
		r = exchange(fd, batch);
		if (r == 0 && batch->again)
			r = -EAGAIN;
	}
	return r;
}

int nft_change(struct lb_context *ctx, const struct nft_change *changes, size_t count)
{
	CLEANUP(free_batch) struct batch batch = { .changes = changes, .count = count };
	int r;

	if (count == 0)
		return 0;
	batch.fates = calloc(count, sizeof *batch.fates);
	if (!batch.fates)
		return fail_memory(ctx);
	r = connect_kernel(ctx);
	if (r < 0)
		return r;
	r = try_batch(ctx->nft_fd, &batch);
	if (r < 0)
		disconnect(ctx);
	if (r == -EPERM)
		return fail(ctx, -LB_ERR_NOT_ROOT, "changing nftables needs root; run it again with sudo");
	if (r == -ENOENT)
		return fail(ctx, r, "nftables has no table %s, or it is not as layerbox made it", changes->table);
	return r < 0 ? fail_errno(ctx, r, "cannot change nftables' table %s", changes->table) : 0;
}
