/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The elements of the firewall's sets: which of them a container has, and how the kernel and nft write them.
 * They are made in this one place, for the text of a whole table, for single changes and for the check.
 */
#pragma once

#include "../adapters/nft.h"
#include "firewall.h"

enum { FIREWALL_SETS = 16 };

/* A set or map of templates/network.nft. */
struct firewall_set {
	const char *name;             /* also the variable in the template that has its elements */
	enum nft_family family;
	const char *key, *data;       /* their fields, a letter each: see firewall-elements.c */
};

extern const struct firewall_set firewall_sets[FIREWALL_SETS];

struct firewall_element {
	const struct firewall_set *set;
	const char *owner;            /* the guest's name */
	struct nft_element element;
};

struct firewall_elements {
	struct firewall_element *items;
	size_t count, capacity;
};

#define CLEANUP_FIREWALL_ELEMENTS CLEANUP(firewall_elements_free)

void firewall_elements_free(struct firewall_elements *elements);

/* Adds those of one guest. -LB_ERR_BAD_VALUE where something about it is not what it is said to be. */
int firewall_elements_add_guest(struct lb_context *ctx, const struct firewall_guest *guest,
				struct firewall_elements *elements);

/* Adds those of all, sorted; of two guests that want the same one, the first by name has it. */
int firewall_elements_collect(struct lb_context *ctx, const struct firewall_guest *guests, size_t count,
			      struct firewall_elements *elements);

int firewall_element_add(struct firewall_elements *elements, const struct firewall_element *element);
void firewall_elements_sort(struct firewall_elements *elements);

/* By set and key; 0 for two that cannot both be there. */
int firewall_element_compare(const struct firewall_element *a, const struct firewall_element *b);

/* Do both lead to the same? */
bool firewall_element_same(const struct nft_element *a, const struct nft_element *b);

/* As nft writes it: "lb5f3a-1a2b3c" . 00:16:3e:1a:2b:3c . 10.0.3.20 */
void firewall_element_text(const struct firewall_element *element, struct buffer *text);

/* The name of the limit for what a guest sends; it tells the rate, so that another rate is another limit. */
void firewall_limit_name(const struct firewall_guest *guest, char ret_name[NFT_NAME_SIZE]);

/* Bytes per second. */
uint64_t firewall_limit_rate(const struct firewall_guest *guest);
