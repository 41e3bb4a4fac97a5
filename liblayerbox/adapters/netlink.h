/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the adapters that speak netlink share: sockets and messages, and how failures of rtnetlink are told. */
#pragma once

#include "../core/context.h"

struct nl_sock;
struct nl_msg;

/* A connection to @protocol (NETLINK_...) of the kernel: 0 or libnl's negative code. */
int netlink_connect(int protocol, struct nl_sock **ret_sock);

/* The same to rtnetlink, with a sentence. */
int netlink_open(struct lb_context *ctx, struct nl_sock **ret_sock);

void netlink_close(struct nl_sock **sock);

/* @error is libnl's, negative: "@what @name failed: ...". */
int netlink_fail(struct lb_context *ctx, int error, const char *what, const char *name);

/* A request of rtnetlink's with its fixed header, NULL without memory; an acknowledgement is asked for by libnl. */
struct nl_msg *netlink_request(int type, int flags, const void *header, size_t size);

void netlink_free(struct nl_msg **message);

/* Sends @message (NULL: out of memory) and waits for the answer: 0 or libnl's negative code. */
int netlink_do(struct nl_sock *sock, struct nl_msg *message);

/* Hears one answer; other than NL_OK (0) or a negative code of libnl's is not expected. */
typedef int (*netlink_answer_fn)(struct nl_msg *answer, void *userdata);

/*
 * Asks for a list by @question (NULL: out of memory), a request with NLM_F_DUMP, and gives each part of it to @fn. Where
 * it changes while it is told, it is asked for again, up to five times; the last is taken as it is: something may be in it
 * twice or not at all, as if asked a moment before or after. 0 or libnl's negative code.
 */
int netlink_dump(struct nl_sock *sock, struct nl_msg *question, netlink_answer_fn fn, void *userdata);

#define CLEANUP_NETLINK CLEANUP(netlink_close)
#define CLEANUP_MESSAGE CLEANUP(netlink_free)
