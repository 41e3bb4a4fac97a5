/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guests.h"

#include "../core/lock.h"

/* A network as the firewall sees it; it points into its plan. */
struct fence {
	struct firewall_network network;
	char subnet[NETWORK_SUBNET_SIZE];
	struct text_list bridges;
};

static void fence_free(struct fence *fence)
{
	text_list_free(&fence->bridges);
}

#define CLEANUP_FENCE CLEANUP(fence_free)

static void make_fence(const struct network_plan *plan, struct fence *fence)
{
	char address[IPV4_TEXT_SIZE];

	ipv4_format(plan->subnet.network, address);
	snprintf(fence->subnet, sizeof fence->subnet, "%s/%u", address, plan->subnet.prefix);
	fence->network = (struct firewall_network){
		.bridge = plan->bridge,
		.subnet = fence->subnet,
		.ipv6 = plan->settings.ipv6,
		.nat = !plan->by_lxc_net,
		.antispoof = plan->settings.antispoof,
		.run_directory = plan->run_directory,
	};
}

/* With the names of all networks, for the whole of the rules. */
static int make_whole_fence(struct lb_context *ctx, const struct network_plan *plan, struct fence *fence)
{
	int r = network_settings_list(ctx, &fence->bridges);

	if (r < 0)
		return r;
	make_fence(plan, fence);
	fence->network.others = (const char *const *)fence->bridges.items;
	return 0;
}

static int apply_locked(struct lb_context *ctx, const struct network_plan *plan)
{
	CLEANUP_GUEST_LIST struct guest_list guests = { 0 };
	CLEANUP_FENCE struct fence fence = { 0 };
	int r = make_whole_fence(ctx, plan, &fence);

	if (r == 0)
		r = guest_list_load(ctx, plan, &guests);
	return r < 0 ? r : firewall_apply(ctx, &fence.network, guests.items, guests.count);
}

int guests_apply(struct lb_context *ctx, const struct network_plan *plan)
{
	CLEANUP_FD int lock = lock_firewall(ctx);

	return lock < 0 ? lock : apply_locked(ctx, plan);
}

static bool is_up(const struct network_plan *plan)
{
	return plan->link.index && plan->manager != LB_NETWORK_FOREIGN;
}

static int apply_where_up(struct lb_context *ctx, const char *network)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	int r = network_plan_make(ctx, network, &plan);

	if (r < 0 || !is_up(&plan))
		return r < 0 ? r : 1;
	return apply_locked(ctx, &plan);
}

/* All networks that are up, but @except (may be NULL). */
static int apply_all_locked(struct lb_context *ctx, const char *except)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int r = network_settings_list(ctx, &names);

	for (size_t i = 0; r >= 0 && i < names.count; i++)
		if (!except || !text_equal(names.items[i], except))
			r = apply_where_up(ctx, names.items[i]);
	return r < 0 ? r : 0;
}

int guests_apply_others(struct lb_context *ctx, const char *network)
{
	CLEANUP_FD int lock = lock_firewall(ctx);

	return lock < 0 ? lock : apply_all_locked(ctx, network);
}

int guests_check(struct lb_context *ctx, const struct network_plan *plan, struct text_list *problems)
{
	CLEANUP_GUEST_LIST struct guest_list guests = { 0 };
	CLEANUP_FENCE struct fence fence = { 0 };
	CLEANUP_FD int lock = lock_firewall(ctx);
	int r = lock < 0 ? lock : make_whole_fence(ctx, plan, &fence);

	if (r == 0)
		r = guest_list_load(ctx, plan, &guests);
	return r < 0 ? r : firewall_check(ctx, &fence.network, guests.items, guests.count, problems);
}

/* By single elements or, where that cannot be, by all the rules. */
static int change_locked(struct lb_context *ctx, const struct network_plan *plan, const struct guest *from,
			 const struct guest *to)
{
	CLEANUP_FENCE struct fence fence = { 0 };
	int r;

	make_fence(plan, &fence);
	r = firewall_change_guest(ctx, &fence.network, from ? &from->firewall : NULL, to ? &to->firewall : NULL);
	return r == -ENOENT ? apply_locked(ctx, plan) : r;
}

int guests_admit(struct lb_context *ctx, const struct network_plan *plan, const char *name, const struct record *record)
{
	CLEANUP_GUEST struct guest guest = { 0 };
	CLEANUP_FD int lock = -1;
	int r = is_up(plan) ? guest_describe(ctx, plan, name, record, &guest) : 1;

	if (r != 0)
		return r;
	lock = lock_firewall(ctx);
	/* From what it is to what it is: its rules are there already, or all are made anew. */
	r = lock < 0 ? lock : change_locked(ctx, plan, &guest, &guest);
	return r < 0 ? r : 0;
}

int guests_change(struct lb_context *ctx, const char *old_name, const struct record *before, const char *name,
		  const struct record *after)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	CLEANUP_GUEST struct guest from = { 0 };
	CLEANUP_GUEST struct guest to = { 0 };
	CLEANUP_FD int lock = -1;
	int r = network_plan_make(ctx, after->identity.network, &plan);

	if (r < 0 || !is_up(&plan))
		return r < 0 ? r : 1;
	r = guest_describe(ctx, &plan, old_name, before, &from);
	if (r == 0)
		r = guest_describe(ctx, &plan, name, after, &to);
	if (r < 0)
		return r;
	lock = lock_firewall(ctx);
	r = lock < 0 ? lock : change_locked(ctx, &plan, &from, &to);
	return r < 0 ? r : 0;
}

int guests_dismiss(struct lb_context *ctx, const char *name, const struct record *record)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	CLEANUP_GUEST struct guest guest = { 0 };
	int r = network_plan_make(ctx, record->identity.network, &plan);

	if (r < 0 || !is_up(&plan))
		return r < 0 ? r : 1;
	r = guest_describe(ctx, &plan, name, record, &guest);
	if (r == 0)
		r = change_locked(ctx, &plan, &guest, NULL);
	return r < 0 ? r : 0;
}

int guests_dismiss_unknown(struct lb_context *ctx)
{
	return apply_all_locked(ctx, NULL);
}
