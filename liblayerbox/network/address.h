/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The place a container has on a network: chosen once, when it is created. */
#pragma once

#include "../core/context.h"
#include "../core/subnet.h"

enum { MAC_TEXT_SIZE = 18, MAC_BYTES = 6, NETWORK_TEXT_SIZE = 16 };

struct network_identity {
	char network[NETWORK_TEXT_SIZE]; /* "": the default one */
	char mac[MAC_TEXT_SIZE];      /* 00:16:3e:xx:xx:xx */
	char ipv4[IPV4_TEXT_SIZE];    /* dotted quad */
	bool is_static;               /* the address stands in the container's files, and DHCP is not asked */
};

struct network_plan;

/* Keeps @ipv4 from being chosen again for as long as layerbox.conf says. */
int address_rest(struct lb_context *ctx, const struct network_plan *plan, const char *ipv4);

/* The bridge's own address: the gateway and name server of the containers on @network. */
int address_gateway(struct lb_context *ctx, const char *network, char ret_ipv4[IPV4_TEXT_SIZE]);

/*
 * Chooses a MAC and an IPv4 address that none of @taken has, no lease holds and that does not rest; the caller holds
 * the root's lock until the choice is on disk. What else is in *ret_identity stays as it is. -LB_ERR_EXHAUSTED when the
 * pool is full.
 */
int address_choose(struct lb_context *ctx, const struct network_plan *plan, const struct network_identity *taken,
		   size_t count, struct network_identity *ret_identity);

bool address_is_ipv4(const char *text);
bool address_is_mac(const char *text);

/* False where @text is not a MAC in lower case. */
bool address_parse_mac(const char *text, uint8_t ret_mac[MAC_BYTES]);
