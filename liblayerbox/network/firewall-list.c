/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements in order, compared and as text. */
#include "firewall-elements.h"
#include "firewall-field.h"

static int compare_bytes(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
	int difference = memcmp(a, b, a_length < b_length ? a_length : b_length);

	return difference ? difference : (a_length > b_length) - (a_length < b_length);
}

int firewall_element_compare(const struct firewall_element *a, const struct firewall_element *b)
{
	if (a->set != b->set)
		return a->set < b->set ? -1 : 1;
	return compare_bytes(a->element.key, a->element.key_length, b->element.key, b->element.key_length);
}

bool firewall_element_same(const struct nft_element *a, const struct nft_element *b)
{
	return compare_bytes(a->data, a->data_length, b->data, b->data_length) == 0 &&
	       text_equal(a->object, b->object) && text_equal(a->chain, b->chain);
}

/* Equal keys are ordered too, or the order of the guests would decide which of two has it. */
static int compare(const void *first, const void *second)
{
	const struct firewall_element *a = first, *b = second;
	int difference = firewall_element_compare(a, b);

	return difference ? difference : strcmp(a->owner, b->owner);
}

void firewall_elements_sort(struct firewall_elements *elements)
{
	if (elements->count > 1)
		qsort(elements->items, elements->count, sizeof *elements->items, compare);
}

/* Two with one key would make nft refuse the whole table, and all containers would lose their network. */
static void drop_doubles(struct lb_context *ctx, struct firewall_elements *elements)
{
	struct firewall_element *kept = elements->items;

	for (size_t i = 1; i < elements->count; i++) {
		struct firewall_element *next = elements->items + i;

		if (firewall_element_compare(kept, next) != 0) {
			*++kept = *next;
			continue;
		}
		if (!text_equal(kept->owner, next->owner) || !firewall_element_same(&kept->element, &next->element))
			log_message(ctx, LB_LOG_WARNING,
				    "the containers '%s' and '%s' want the same entry of the firewall's %s; '%s' "
				    "has it",
				    kept->owner, next->owner, kept->set->name, kept->owner);
	}
	if (elements->count)
		elements->count = (size_t)(kept - elements->items) + 1;
}

int firewall_elements_collect(struct lb_context *ctx, const struct firewall_guest *guests, size_t count,
			      struct firewall_elements *elements)
{
	for (size_t i = 0; i < count; i++) {
		int r = firewall_elements_add_guest(ctx, guests + i, elements);

		if (r < 0)
			return r;
	}
	firewall_elements_sort(elements);
	drop_doubles(ctx, elements);
	return 0;
}

static void add_fields(struct buffer *text, const char *types, const uint8_t *bytes)
{
	for (bool first = true; *types; types++, first = false) {
		if (!first)
			buffer_add_text(text, " . ");
		field_decode(*types, bytes, text);
		bytes += field_size(*types);
	}
}

void firewall_element_text(const struct firewall_element *element, struct buffer *text)
{
	const struct nft_element *nft = &element->element;

	add_fields(text, element->set->key, nft->key);
	if (*nft->object)
		buffer_format(text, " : \"%s\"", nft->object);
	else if (*nft->chain)
		buffer_format(text, " : jump %s", nft->chain);
	else if (nft->data_length) {
		buffer_add_text(text, " : ");
		add_fields(text, element->set->data, nft->data);
	}
}
