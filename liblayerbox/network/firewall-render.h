/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The firewall's tables as text for nft, and what is noted of the text that was applied last. */
#pragma once

#include "firewall-elements.h"

enum { FIREWALL_TABLE_SIZE = 32 };

/* "layerbox-lxcbr0": both tables have it. */
void firewall_table_name(const char *bridge, char ret_name[FIREWALL_TABLE_SIZE]);

/*
 * Renders the template with the guests' rules and those @elements (NULL: none, and no limits either: that is
 * the part of it which single changes leave alone). -LB_ERR_BAD_VALUE where a network or guest is not right.
 */
int firewall_render(struct lb_context *ctx, const struct firewall_network *network, const struct firewall_guest *guests,
		    size_t count, const struct firewall_elements *elements, char **ret_text);

/* What the kernel has of both tables; -ENOENT, without a sentence, where one is gone. */
int firewall_look(struct lb_context *ctx, const char *bridge, uint64_t ret_fingerprints[2]);

/* Notes that @skeleton was applied, and what the kernel then had. */
int firewall_note(struct lb_context *ctx, const struct firewall_network *network, const char *skeleton,
		  const uint64_t fingerprints[2]);

/* *ret_skeleton is the caller's, and NULL where nothing is noted. */
int firewall_noted(struct lb_context *ctx, const struct firewall_network *network, char **ret_skeleton,
		   uint64_t ret_fingerprints[2]);

/* Forgets it. */
int firewall_forget(struct lb_context *ctx, const char *run_directory);
