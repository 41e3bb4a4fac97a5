/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "firewall.h"

#include "firewall-render.h"

bool firewall_is_up(const char *bridge)
{
	char table[FIREWALL_TABLE_SIZE];

	firewall_table_name(bridge, table);
	return nft_has_table(NFT_FAMILY_BRIDGE, table) && nft_has_table(NFT_FAMILY_INET, table);
}

static int replace(struct lb_context *ctx, const struct firewall_network *network, const char *rules,
		   const char *skeleton)
{
	uint64_t fingerprints[2];
	bool is_new = !firewall_is_up(network->bridge);
	int r = nft_apply(ctx, rules);

	if (r < 0)
		return r;
	r = firewall_look(ctx, network->bridge, fingerprints);
	if (r == -ENOENT)
		return fail(ctx, -LB_ERR_BAD_CONFIG,
			    "the template network.nft does not make the tables `bridge layerbox-%s` and `inet "
			    "layerbox-%s`; is it a copy from an older version?",
			    network->bridge, network->bridge);
	if (r < 0)
		return r;
	log_message(ctx, is_new ? LB_LOG_INFO : LB_LOG_DEBUG,
		    "nftables has the tables `bridge layerbox-%s` and `inet layerbox-%s`", network->bridge,
		    network->bridge);
	return firewall_note(ctx, network, skeleton, fingerprints);
}

int firewall_apply(struct lb_context *ctx, const struct firewall_network *network, const struct firewall_guest *guests,
		   size_t count)
{
	CLEANUP_FIREWALL_ELEMENTS struct firewall_elements elements = { 0 };
	CLEANUP_TEXT_LIST struct text_list problems = { 0 };
	CLEANUP_FREE char *skeleton = NULL;
	CLEANUP_FREE char *rules = NULL;
	int r = firewall_check(ctx, network, guests, count, &problems);

	if (r < 0)
		return r;
	if (problems.count == 0)
		return 1;
	r = firewall_elements_collect(ctx, guests, count, &elements);
	if (r == 0)
		r = firewall_render(ctx, network, guests, count, NULL, &skeleton);
	if (r == 0)
		r = firewall_render(ctx, network, guests, count, &elements, &rules);
	return r < 0 ? r : replace(ctx, network, rules, skeleton);
}

/* A change of one guest, step by step. */
struct steps {
	struct nft_change *changes;
	size_t count;
	const char *table;
};

static void free_steps(struct steps *steps)
{
	free(steps->changes);
}

static void add_elements(struct steps *steps, enum nft_action action, const struct firewall_elements *elements,
			 const struct firewall_elements *but)
{
	for (size_t i = 0; i < elements->count; i++) {
		const struct firewall_element *element = elements->items + i;
		bool kept = false;

		for (size_t j = 0; but && j < but->count && !kept; j++)
			kept = firewall_element_compare(element, but->items + j) == 0 &&
			       firewall_element_same(&element->element, &but->items[j].element);
		if (!kept)
			steps->changes[steps->count++] = (struct nft_change){
				.action = action,
				.family = element->set->family,
				.table = steps->table,
				.name = element->set->name,
				.element = element->element,
			};
	}
}

static void add_limit(struct steps *steps, enum nft_action action, const char *name, uint64_t rate)
{
	steps->changes[steps->count++] = (struct nft_change){
		.action = action, .family = NFT_FAMILY_BRIDGE, .table = steps->table, .name = name, .rate = rate,
	};
}

static int change_elements(struct lb_context *ctx, const struct firewall_network *network,
			   const struct firewall_guest *from, const struct firewall_guest *to)
{
	CLEANUP_FIREWALL_ELEMENTS struct firewall_elements old = { 0 };
	CLEANUP_FIREWALL_ELEMENTS struct firewall_elements new = { 0 };
	CLEANUP(free_steps) struct steps steps = { 0 };
	char table[FIREWALL_TABLE_SIZE], old_limit[NFT_NAME_SIZE] = "", new_limit[NFT_NAME_SIZE] = "";
	int r = from ? firewall_elements_add_guest(ctx, from, &old) : 0;

	if (r == 0 && to)
		r = firewall_elements_add_guest(ctx, to, &new);
	if (r < 0)
		return r;
	steps.changes = calloc(old.count + new.count + 2, sizeof *steps.changes);
	if (!steps.changes)
		return fail_memory(ctx);
	firewall_table_name(network->bridge, table);
	steps.table = table;
	if (from && from->egress_bits)
		firewall_limit_name(from, old_limit);
	if (to && to->egress_bits)
		firewall_limit_name(to, new_limit);
	/* A limit can go when no element leads to it, and must be there before one does. */
	add_elements(&steps, NFT_REMOVE_ELEMENT, &old, &new);
	if (*old_limit && !text_equal(old_limit, new_limit))
		add_limit(&steps, NFT_REMOVE_LIMIT, old_limit, 0);
	if (*new_limit)
		add_limit(&steps, NFT_ADD_LIMIT, new_limit, firewall_limit_rate(to));
	add_elements(&steps, NFT_ADD_ELEMENT, &new, NULL);
	return nft_change(ctx, steps.changes, steps.count);
}

static bool same_rules(const struct firewall_guest *a, const struct firewall_guest *b)
{
	size_t a_count = a ? a->rule_count : 0, b_count = b ? b->rule_count : 0;

	if (a_count != b_count)
		return false;
	if (a_count && !text_equal(a->name, b->name))
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (a->rules[i].allow != b->rules[i].allow || !text_equal(a->rules[i].cidr, b->rules[i].cidr))
			return false;
	return true;
}

int firewall_change_guest(struct lb_context *ctx, const struct firewall_network *network,
			  const struct firewall_guest *from, const struct firewall_guest *to)
{
	if (!same_rules(from, to))
		return fail(ctx, -ENOENT, "the rules of container '%s' need the whole firewall to be made anew",
			    to ? to->name : from->name);
	return change_elements(ctx, network, from, to);
}

int firewall_down(struct lb_context *ctx, const char *bridge, const char *run_directory)
{
	CLEANUP_BUFFER struct buffer rules = { 0 };
	char table[FIREWALL_TABLE_SIZE];
	int r = firewall_forget(ctx, run_directory);

	if (r < 0)
		return r;
	firewall_table_name(bridge, table);
	if (nft_has_table(NFT_FAMILY_BRIDGE, table))
		buffer_format(&rules, "delete table bridge %s\n", table);
	if (nft_has_table(NFT_FAMILY_INET, table))
		buffer_format(&rules, "delete table inet %s\n", table);
	if (rules.failed)
		return fail_memory(ctx);
	return rules.length ? nft_apply(ctx, rules.data) : 1;
}
