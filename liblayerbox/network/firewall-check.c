/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is what the kernel has what it should have? */
#include "firewall-render.h"

/* How the elements of one set differ. */
struct difference {
	size_t missing, surplus, elsewhere;
	const struct firewall_element *first;
};

struct checking {
	struct lb_context *ctx;
	const struct firewall_network *network;
	struct text_list *problems;
	char table[FIREWALL_TABLE_SIZE];
};

static int report(const struct checking *checking, const char *format, ...) PRINTF_LIKE(2, 3);

static int report(const struct checking *checking, const char *format, ...)
{
	CLEANUP_FREE char *sentence = NULL;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&sentence, format, args);
	va_end(args);
	if (r < 0)
		sentence = NULL;
	if (r < 0 || text_list_add(checking->problems, sentence) < 0)
		return fail_memory(checking->ctx);
	return 0;
}

static int check_rules(const struct checking *checking, const char *skeleton)
{
	CLEANUP_FREE char *noted = NULL;
	uint64_t was[2], is[2];
	int r = firewall_look(checking->ctx, checking->network->bridge, is);

	if (r == -ENOENT)
		return report(checking, "nftables has no rules for %s", checking->network->bridge);
	if (r == 0)
		r = firewall_noted(checking->ctx, checking->network, &noted, was);
	if (r < 0)
		return r;
	if (!noted || !text_equal(noted, skeleton))
		return report(checking, "the rules nftables has for %s are not those of the present settings",
			      checking->network->bridge);
	for (size_t i = 0; r == 0 && i < 2; i++)
		if (was[i] != is[i])
			r = report(checking, "someone has changed the rules in nftables' table `%s %s`",
				   i == 0 ? "bridge" : "inet", checking->table);
	return r;
}

struct taking {
	struct firewall_elements *elements;
	const struct firewall_set *set;
};

static int take(const struct nft_element *element, void *userdata)
{
	const struct taking *taking = userdata;
	const struct firewall_element taken = { .set = taking->set, .owner = "", .element = *element };

	return firewall_element_add(taking->elements, &taken);
}

static void note(struct difference *difference, size_t *counter, const struct firewall_element *element)
{
	(*counter)++;
	if (!difference->first)
		difference->first = element;
}

/* Both are sorted. */
static void compare(const struct firewall_element *want, size_t want_count, const struct firewall_element *have,
		    size_t have_count, struct difference *difference)
{
	size_t i = 0, j = 0;

	while (i < want_count || j < have_count) {
		int order = 0;

		if (i == want_count || j == have_count)
			order = i == want_count ? 1 : -1;
		else
			order = firewall_element_compare(want + i, have + j);
		if (order < 0)
			note(difference, &difference->missing, want + i);
		else if (order > 0)
			note(difference, &difference->surplus, have + j);
		else if (!firewall_element_same(&want[i].element, &have[j].element))
			note(difference, &difference->elsewhere, want + i);
		i += order <= 0;
		j += order >= 0;
	}
}

static int report_difference(const struct checking *checking, const struct firewall_set *set,
			     const struct difference *difference)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	firewall_element_text(difference->first, &text);
	if (text.failed)
		return fail_memory(checking->ctx);
	return report(checking,
		      "in nftables' table `%s %s`, the set %s lacks %zu entries, has %zu that belong to nobody, and "
		      "%zu that lead elsewhere; the first is %s",
		      set->family == NFT_FAMILY_BRIDGE ? "bridge" : "inet", checking->table, set->name,
		      difference->missing, difference->surplus, difference->elsewhere, text.data);
}

static int list_set(const struct checking *checking, const struct firewall_set *set, struct firewall_elements *have)
{
	struct taking taking = { .elements = have, .set = set };
	int r = -EAGAIN;

	/* Others' changes of nftables make an answer void. */
	for (int i = 0; i < 5 && r == -EAGAIN; i++) {
		have->count = 0;
		r = nft_list_elements(checking->ctx, set->family, checking->table, set->name, take, &taking);
	}
	if (r == -ENOMEM)
		return fail_memory(checking->ctx);
	return r == -EAGAIN ? fail(checking->ctx, -LB_ERR_BUSY, "nftables is being changed all the time") : r;
}

static int check_set(const struct checking *checking, const struct firewall_set *set,
		     const struct firewall_elements *all)
{
	CLEANUP_FIREWALL_ELEMENTS struct firewall_elements have = { 0 };
	struct difference difference = { 0 };
	const struct firewall_element *want = all->items, *end;
	int r = list_set(checking, set, &have);

	if (r == -ENOENT)
		return report(checking, "nftables' table %s has no set %s", checking->table, set->name);
	if (r < 0)
		return r;
	for (end = all->items + all->count; want < end && want->set != set; want++)
		;
	for (end = want; end < all->items + all->count && end->set == set; end++)
		;
	firewall_elements_sort(&have);
	compare(want, (size_t)(end - want), have.items, have.count, &difference);
	return difference.first ? report_difference(checking, set, &difference) : 0;
}

int firewall_check(struct lb_context *ctx, const struct firewall_network *network, const struct firewall_guest *guests,
		   size_t count, struct text_list *problems)
{
	struct checking checking = { .ctx = ctx, .network = network, .problems = problems };
	CLEANUP_FIREWALL_ELEMENTS struct firewall_elements elements = { 0 };
	CLEANUP_FREE char *skeleton = NULL;
	size_t before = problems->count;
	int r = firewall_render(ctx, network, guests, count, NULL, &skeleton);

	if (r == 0)
		r = firewall_elements_collect(ctx, guests, count, &elements);
	firewall_table_name(network->bridge, checking.table);
	if (r == 0)
		r = check_rules(&checking, skeleton);
	/* Where the rules are to be made anew, so are the elements. */
	for (size_t i = 0; r == 0 && problems->count == before && i < FIREWALL_SETS; i++)
		r = check_set(&checking, firewall_sets + i, &elements);
	return r;
}
