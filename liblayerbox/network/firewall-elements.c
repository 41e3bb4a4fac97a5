/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "firewall-elements.h"

#include <inttypes.h>

#include "../util/array.h"
#include "firewall-field.h"
#include "ipv6.h"

/* Some of what a map leads to is no value: */
#define A_LIMIT "@limit"
#define A_CHAIN "@chain"

/* Where firewall_sets[] says this, nothing is led to. */
#define NOTHING ""

enum {
	MACS,
	CHADDRS,
	GUESTS4,
	GUESTS6,
	TARGETS6,
	ISOLATED,
	LIMITS,
	RULES,
	ISOLATED4,
	ISOLATED6,
	RULES4,
	RULES6,
	FORWARDS4,
	FORWARDS6,
	FORWARDS_ANY4,
	FORWARDS_ANY6,
};

/*
 * The fields of keys and values: n interface name, m MAC, h MAC as a number, 4, 6 address, x address as a number,
 * p protocol, s port.
 */
const struct firewall_set firewall_sets[FIREWALL_SETS] = {
	[MACS] = { "macs", NFT_FAMILY_BRIDGE, "nm", NOTHING },
	[CHADDRS] = { "chaddrs", NFT_FAMILY_BRIDGE, "nh", NOTHING },
	[GUESTS4] = { "guests4", NFT_FAMILY_BRIDGE, "nm4", NOTHING },
	[GUESTS6] = { "guests6", NFT_FAMILY_BRIDGE, "nm6", NOTHING },
	[TARGETS6] = { "targets6", NFT_FAMILY_BRIDGE, "nmx", NOTHING },
	[ISOLATED] = { "isolated", NFT_FAMILY_BRIDGE, "n", NOTHING },
	[LIMITS] = { "limits", NFT_FAMILY_BRIDGE, "n", A_LIMIT },
	[RULES] = { "rules", NFT_FAMILY_BRIDGE, "n", A_CHAIN },
	[ISOLATED4] = { "isolated4", NFT_FAMILY_INET, "4", NOTHING },
	[ISOLATED6] = { "isolated6", NFT_FAMILY_INET, "6", NOTHING },
	[RULES4] = { "rules4", NFT_FAMILY_INET, "4", A_CHAIN },
	[RULES6] = { "rules6", NFT_FAMILY_INET, "6", A_CHAIN },
	[FORWARDS4] = { "forwards4", NFT_FAMILY_INET, "4ps", "4s" },
	[FORWARDS6] = { "forwards6", NFT_FAMILY_INET, "6ps", "6s" },
	[FORWARDS_ANY4] = { "forwards_any4", NFT_FAMILY_INET, "ps", "4s" },
	[FORWARDS_ANY6] = { "forwards_any6", NFT_FAMILY_INET, "ps", "6s" },
};

void firewall_elements_free(struct firewall_elements *elements)
{
	free(elements->items);
	*elements = (struct firewall_elements){ 0 };
}

int firewall_element_add(struct firewall_elements *elements, const struct firewall_element *element)
{
	struct firewall_element *items =
		array_grow(elements->items, elements->count, &elements->capacity, sizeof *items);

	if (!items)
		return -ENOMEM;
	elements->items = items;
	elements->items[elements->count++] = *element;
	return 0;
}

/* What the elements of one guest are made with. */
struct making {
	struct lb_context *ctx;
	const struct firewall_guest *guest;
	struct firewall_elements *elements;
	char limit[NFT_NAME_SIZE], chain[NFT_NAME_SIZE];
};

static int refuse_value(const struct making *making, const char *value)
{
	return fail(making->ctx, -LB_ERR_BAD_VALUE, "container '%s': \"%s\" is nothing the firewall can be told",
		    making->guest->name, value);
}

static int encode(const struct making *making, const char *types, const char *const *texts, uint8_t *bytes,
		  size_t *length)
{
	for (; *types; types++, texts++) {
		if (!field_encode(*types, *texts, bytes + *length))
			return refuse_value(making, *texts);
		*length += field_size(*types);
	}
	return 0;
}

/* Adds an element; @key and @data have the texts of its fields. */
static int add(const struct making *making, size_t set_number, const char *const *key, const char *const *data)
{
	const struct firewall_set *set = firewall_sets + set_number;
	struct firewall_element element = { .set = set, .owner = making->guest->name };
	struct nft_element *nft = &element.element;
	int r = encode(making, set->key, key, nft->key, &nft->key_length);

	if (r == 0 && text_equal(set->data, A_LIMIT))
		text_copy(nft->object, sizeof nft->object, making->limit);
	else if (r == 0 && text_equal(set->data, A_CHAIN))
		text_copy(nft->chain, sizeof nft->chain, making->chain);
	else if (r == 0)
		r = encode(making, set->data, data, nft->data, &nft->data_length);
	if (r == 0)
		r = firewall_element_add(making->elements, &element);
	return r == -ENOMEM ? fail_memory(making->ctx) : r;
}

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__ })

static int add_address6(const struct making *making, const char *address)
{
	const struct firewall_guest *guest = making->guest;
	int r = add(making, GUESTS6, TEXTS(guest->port, guest->mac, address), NULL);

	return r < 0 ? r : add(making, TARGETS6, TEXTS(guest->port, guest->mac, address), NULL);
}

static int add_identity(const struct making *making)
{
	const struct firewall_guest *guest = making->guest;
	char link_local[IPV6_TEXT_SIZE];
	int r = add(making, MACS, TEXTS(guest->port, guest->mac), NULL);

	if (r == 0)
		r = add(making, CHADDRS, TEXTS(guest->port, guest->mac), NULL);
	if (r == 0)
		r = add(making, GUESTS4, TEXTS(guest->port, guest->mac, guest->ipv4), NULL);
	/* Every kernel gives itself the link-local one, whether or not the network has IPv6. */
	ipv6_link_local(guest->mac, link_local);
	if (r == 0)
		r = add_address6(making, link_local);
	if (r == 0 && !text_empty(guest->ipv6))
		r = add_address6(making, guest->ipv6);
	return r;
}

/* The guest's port and its addresses, each to the set for it. */
static int add_everywhere(const struct making *making, size_t of_ports, size_t of_ipv4, size_t of_ipv6)
{
	const struct firewall_guest *guest = making->guest;
	int r = add(making, of_ports, TEXTS(guest->port), NULL);

	if (r == 0)
		r = add(making, of_ipv4, TEXTS(guest->ipv4), NULL);
	if (r == 0 && !text_empty(guest->ipv6))
		r = add(making, of_ipv6, TEXTS(guest->ipv6), NULL);
	return r;
}

/* Where all addresses are listened on, both kinds lead to the container's address of that kind. */
static int add_forward(const struct making *making, const struct firewall_forward *forward)
{
	const struct firewall_guest *guest = making->guest;
	const char *listen = forward->listen ? forward->listen : "";
	bool is_ipv6 = strchr(listen, ':');
	char port[8], target[8];
	int r = 0;

	snprintf(port, sizeof port, "%u", forward->port);
	snprintf(target, sizeof target, "%u", forward->target_port);
	if (is_ipv6 && text_empty(guest->ipv6))
		return fail(making->ctx, -LB_ERR_BAD_VALUE,
			    "container '%s' has no IPv6 address that %s port %u could be forwarded to", guest->name,
			    listen, forward->port);
	if (is_ipv6)
		return add(making, FORWARDS6, TEXTS(listen, forward->protocol, port), TEXTS(guest->ipv6, target));
	if (*listen)
		return add(making, FORWARDS4, TEXTS(listen, forward->protocol, port), TEXTS(guest->ipv4, target));
	r = add(making, FORWARDS_ANY4, TEXTS(forward->protocol, port), TEXTS(guest->ipv4, target));
	if (r == 0 && !text_empty(guest->ipv6))
		r = add(making, FORWARDS_ANY6, TEXTS(forward->protocol, port), TEXTS(guest->ipv6, target));
	return r;
}

int firewall_elements_add_guest(struct lb_context *ctx, const struct firewall_guest *guest,
				struct firewall_elements *elements)
{
	struct making making = { .ctx = ctx, .guest = guest, .elements = elements };
	int r = add_identity(&making);

	firewall_limit_name(guest, making.limit);
	snprintf(making.chain, sizeof making.chain, "rules-%s", guest->name);
	if (r == 0 && guest->isolated)
		r = add_everywhere(&making, ISOLATED, ISOLATED4, ISOLATED6);
	if (r == 0 && guest->egress_bits)
		r = add(&making, LIMITS, TEXTS(guest->port), NULL);
	if (r == 0 && guest->rule_count)
		r = add_everywhere(&making, RULES, RULES4, RULES6);
	for (size_t i = 0; r == 0 && i < guest->forward_count; i++)
		r = add_forward(&making, guest->forwards + i);
	return r;
}

void firewall_limit_name(const struct firewall_guest *guest, char ret_name[NFT_NAME_SIZE])
{
	snprintf(ret_name, NFT_NAME_SIZE, "egress-%s-%" PRIu64, guest->name, guest->egress_bits);
}

uint64_t firewall_limit_rate(const struct firewall_guest *guest)
{
	return guest->egress_bits / 8 ? guest->egress_bits / 8 : 1;
}
