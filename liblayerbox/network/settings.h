/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an operator decided for one network: ROOT/network/NAME/network.conf. A network is called as its bridge is.
 * The default network, `bridge =` of layerbox.conf, is there without such a file, and takes its subnet from
 * layerbox.conf.
 */
#pragma once

#include "../core/context.h"

#define NETWORK_SETTINGS_FILE "network.conf"

enum {
	NETWORK_NAME_SIZE = 16,       /* IFNAMSIZ */
	NETWORK_SUBNET_SIZE = 20,     /* 255.255.255.255/32 */
	NETWORK_PREFIX_SIZE = 49,     /* an IPv6 prefix with its length: IPV6_PREFIX_TEXT_SIZE */
};

struct network_settings {
	char name[NETWORK_NAME_SIZE];
	char subnet[NETWORK_SUBNET_SIZE];
	char ipv6[NETWORK_PREFIX_SIZE]; /* a /64, "" for none */
	unsigned mtu;                 /* bytes; 0: the kernel's own */
	bool isolated;                /* containers do not reach one another */
	bool antispoof;               /* a container sends from its own addresses only */
	bool dhcp;                    /* false: addresses are written into the containers */
	bool is_default;
	bool has_subnet;              /* of its own: the default network's is layerbox.conf's else */
};

/* Is this a name for a network, and so for a bridge? -LB_ERR_BAD_NAME, with the rule. */
int network_check_name(struct lb_context *ctx, const char *name);

/* The network that is meant by @name, as records and callers give it: NULL or "" is the default one. */
const char *network_name(const struct lb_context *ctx, const char *name);

/* @name NULL or "": the default network. -LB_ERR_NO_NETWORK, -LB_ERR_BAD_CONFIG with file:line. */
int network_settings_load(struct lb_context *ctx, const char *name, struct network_settings *ret_settings);

/* Replaces the file, durably; its directory is there. */
int network_settings_save(struct lb_context *ctx, const struct network_settings *settings);

/* The default network's name first, then those that were created, sorted. */
int network_settings_list(struct lb_context *ctx, struct text_list *ret_names);

/* Changes one key from text. NULL, or why not ("must be yes or no"). */
const char *network_settings_set(struct network_settings *settings, const char *key, const char *value);

/* One key as text, "" where it is not set; the caller's, NULL without memory or for a key that is none. */
char *network_settings_get(const struct network_settings *settings, const char *key);
