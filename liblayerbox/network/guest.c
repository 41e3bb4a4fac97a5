/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the firewall is told of a container, from its record. */
#include "guests.h"
#include "ipv6.h"

/* One that cannot be, since the network has lost its IPv6, must not keep all others from being made. */
static bool is_possible(struct lb_context *ctx, const char *name, const struct forward *forward,
			const struct guest *guest)
{
	if (!strchr(forward->listen, ':') || *guest->ipv6)
		return true;
	log_message(ctx, LB_LOG_WARNING,
		    "container '%s' has no IPv6 address that [%s]:%u could be forwarded to; give its network an IPv6 "
		    "prefix, "
		    "or remove that forward",
		    name, forward->listen, forward->port);
	return false;
}

static int add_forwards(struct lb_context *ctx, const char *name, const struct forward_list *list, struct guest *guest)
{
	guest->forwards = calloc(list->count + 1, sizeof *guest->forwards);
	if (!guest->forwards)
		return fail_memory(ctx);
	for (size_t i = 0; i < list->count; i++) {
		const struct forward *forward = list->items + i;

		if (!is_possible(ctx, name, forward, guest))
			continue;
		guest->forwards[guest->firewall.forward_count++] = (struct firewall_forward){
			.protocol = forward_protocol(forward),
			.listen = forward->listen,
			.port = forward->port,
			.target_port = forward->target_port,
		};
	}
	guest->firewall.forwards = guest->forwards;
	return 0;
}

static int add_rules(struct lb_context *ctx, const struct egress_list *list, struct guest *guest)
{
	guest->rules = calloc(list->count + 1, sizeof *guest->rules);
	if (!guest->rules)
		return fail_memory(ctx);
	for (size_t i = 0; i < list->count; i++)
		guest->rules[i] = (struct firewall_rule){ .allow = list->items[i].allow, .cidr = list->items[i].cidr };
	guest->firewall.rules = guest->rules;
	guest->firewall.rule_count = list->count;
	return 0;
}

static bool is_isolated(const struct network_plan *plan, const struct record *record)
{
	if (record->uplink.isolation == ISOLATION_OF_NETWORK)
		return plan->settings.isolated;
	return record->uplink.isolation == ISOLATION_YES;
}

int guest_describe(struct lb_context *ctx, const struct network_plan *plan, const char *name,
		   const struct record *record, struct guest *ret_guest)
{
	struct guest *guest = ret_guest;
	int r;

	*guest = (struct guest){ 0 };
	if (!port_name(plan->bridge, record->identity.mac, guest->port))
		return fail(ctx, -LB_ERR_BAD_VALUE, "container '%s': \"%s\" is not a MAC address", name,
			    record->identity.mac);
	network_plan_ipv6(plan, record->identity.ipv4, guest->ipv6);
	guest->firewall = (struct firewall_guest){
		.name = name,
		.port = guest->port,
		.mac = record->identity.mac,
		.ipv4 = record->identity.ipv4,
		.ipv6 = guest->ipv6,
		.isolated = is_isolated(plan, record),
		.egress_bits = record->uplink.egress_bps,
	};
	r = add_forwards(ctx, name, &record->forwards, guest);
	return r < 0 ? r : add_rules(ctx, &record->egress, guest);
}

void guest_free(struct guest *guest)
{
	free(guest->forwards);
	free(guest->rules);
	guest->forwards = NULL;
	guest->rules = NULL;
}

static int describe_all(struct lb_context *ctx, const struct network_plan *plan, struct guest_list *list)
{
	list->guests = calloc(list->record_count + 1, sizeof *list->guests);
	list->items = calloc(list->record_count + 1, sizeof *list->items);
	if (!list->guests || !list->items)
		return fail_memory(ctx);
	for (size_t i = 0; i < list->record_count; i++) {
		const struct record_entry *entry = list->records + i;
		struct guest *guest = list->guests + list->count;
		int r;

		if (!text_equal(network_name(ctx, entry->record.identity.network), plan->bridge))
			continue;
		r = guest_describe(ctx, plan, entry->name, &entry->record, guest);
		list->items[list->count++] = guest->firewall;
		if (r < 0)
			return r;
	}
	return 0;
}

int guest_list_load(struct lb_context *ctx, const struct network_plan *plan, struct guest_list *ret_list)
{
	CLEANUP_GUEST_LIST struct guest_list list = { 0 };
	int r = record_list_all(ctx, false, &list.records, &list.record_count);

	if (r == 0)
		r = describe_all(ctx, plan, &list);
	if (r < 0)
		return r;
	*ret_list = list;
	list = (struct guest_list){ 0 };
	return 0;
}

void guest_list_free(struct guest_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		guest_free(list->guests + i);
	free(list->guests);
	free(list->items);
	record_list_free(list->records, list->record_count);
	*list = (struct guest_list){ 0 };
}
