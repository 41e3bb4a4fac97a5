/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nft-message.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

struct listing {
	nft_element_fn fn;
	void *userdata;
};

static void take_value(struct nlattr *nest, int attribute, uint8_t *ret_value, size_t *ret_length)
{
	struct nlattr *value = nest ? nla_find(nla_data(nest), nla_len(nest), attribute) : NULL;
	int length = value ? nla_len(value) : 0;

	if (length <= 0 || length > NFT_KEY_MAX)
		return;
	memcpy(ret_value, nla_data(value), (size_t)length);
	*ret_length = (size_t)length;
}

static void take_data(struct nlattr *data, struct nft_element *element)
{
	struct nlattr *verdict = nla_find(nla_data(data), nla_len(data), NFTA_DATA_VERDICT), *chain;

	take_value(data, NFTA_DATA_VALUE, element->data, &element->data_length);
	chain = verdict ? nla_find(nla_data(verdict), nla_len(verdict), NFTA_VERDICT_CHAIN) : NULL;
	if (chain)
		nla_strlcpy(element->chain, chain, sizeof element->chain);
}

static int list_elements(struct nlmsghdr *header, void *userdata)
{
	const struct listing *listing = userdata;
	struct nlattr *list = nlmsg_find_attr(header, sizeof(struct nfgenmsg), NFTA_SET_ELEM_LIST_ELEMENTS), *entry;
	int left, r = 0;

	if (!list)
		return 0;
	nla_for_each_nested(entry, list, left)
	{
		struct nlattr *parts[NFTA_SET_ELEM_MAX + 1];
		struct nft_element element = { 0 };

		if (nla_parse_nested(parts, NFTA_SET_ELEM_MAX, entry, NULL) < 0)
			continue;
		take_value(parts[NFTA_SET_ELEM_KEY], NFTA_DATA_VALUE, element.key, &element.key_length);
		if (parts[NFTA_SET_ELEM_DATA])
			take_data(parts[NFTA_SET_ELEM_DATA], &element);
		if (parts[NFTA_SET_ELEM_OBJREF])
			nla_strlcpy(element.object, parts[NFTA_SET_ELEM_OBJREF], sizeof element.object);
		r = listing->fn(&element, listing->userdata);
		if (r < 0)
			break;
	}
	return r;
}

int nft_list_elements(struct lb_context *ctx, enum nft_family family, const char *table, const char *set,
		      nft_element_fn fn, void *userdata)
{
	CLEANUP_MESSAGE struct nl_msg *question = nft_message(family, NFT_MSG_GETSETELEM, NLM_F_DUMP);
	struct listing listing = { .fn = fn, .userdata = userdata };

	if (!question || nla_put_string(question, NFTA_SET_ELEM_LIST_TABLE, table) < 0 ||
	    nla_put_string(question, NFTA_SET_ELEM_LIST_SET, set) < 0)
		return fail_memory(ctx);
	return nft_dump(ctx, question, list_elements, &listing);
}
