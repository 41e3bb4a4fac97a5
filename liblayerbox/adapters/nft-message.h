/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages to and from nftables in the kernel: of the adapter alone, with the foreign types it is made of. */
#pragma once

#include "netlink.h"
#include "nft.h"

struct nlmsghdr;

/* A message of @type (NFT_MSG_...) to a table of that family; NULL without memory. */
struct nl_msg *nft_message(enum nft_family family, int type, int flags);

/* Asks for a dump and calls @fn with every message of the answer. -ENOENT, without a sentence. Frees nothing. */
typedef int (*nft_answer_fn)(struct nlmsghdr *header, void *userdata);
int nft_dump(struct lb_context *ctx, struct nl_msg *question, nft_answer_fn fn, void *userdata);
