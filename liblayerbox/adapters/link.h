/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network interfaces of the kernel, by netlink: bridges and their addresses. Knows nothing of containers. */
#pragma once

#include "../core/context.h"

struct link_state {
	int index;                    /* 0: there is no such interface */
	bool is_bridge;
	bool up;
	char alias[64];               /* what an administrator or program has noted on it; "" */
	char mac[18];
	char address[20];             /* the first IPv4 address, with prefix length; "" */
};

/* An interface that is not there is no failure: then ret_state->index is 0. */
int link_get(struct lb_context *ctx, const char *name, struct link_state *ret_state);

/* Makes a bridge that is down and has no address, and leaves its index in *ret_index. */
int link_make_bridge(struct lb_context *ctx, const char *name, const char *mac, const char *alias, int *ret_index);

/* Notes @alias on an interface. */
int link_set_alias(struct lb_context *ctx, const char *name, int index, const char *alias);

/*
 * @address has a prefix length: 10.0.3.1/24, fd42::1/64. 1 where the interface has it already. An IPv6 address can be
 * used at once: nobody is asked whether he has it.
 */
int link_add_address(struct lb_context *ctx, const char *name, int index, const char *address);

/* 1 where the interface does not have it. */
int link_remove_address(struct lb_context *ctx, const char *name, int index, const char *address);

/* Has the interface that IPv6 address (without a prefix length)? */
bool link_has_ipv6(const char *name, const char *address);

/* Is it a port of some bridge? */
bool link_is_port(const char *name);

int link_set_up(struct lb_context *ctx, const char *name, int index);

int link_set_mtu(struct lb_context *ctx, const char *name, int index, unsigned mtu);

int link_delete(struct lb_context *ctx, const char *name, int index);

/* How many interfaces are ports of the bridge. */
int link_count_ports(struct lb_context *ctx, const char *name, int index, unsigned *ret_count);

/* 1 when it is there and up, 0 when it is there and down, -ENODEV; three system calls and no sentence. */
int link_is_up(const char *name);
