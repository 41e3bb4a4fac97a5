/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Leases as an operator sees them: listed, counted, given back. */
#include <ctype.h>
#include <fcntl.h>

#include "../adapters/rights.h"
#include "lease-drop.h"
#include "lease-rows.h"
#include "quarantine.h"

const char *lb_lease_state_name(enum lb_lease_state state)
{
	static const char *const names[] = { "reserved", "active", "foreign", "conflict" };

	return (unsigned)state < sizeof names / sizeof *names ? names[state] : "unknown";
}

/* @name NULL or "" is every network. */
static int name_networks(struct lb_context *ctx, const char *name, struct text_list *ret_names)
{
	if (text_empty(name))
		return network_settings_list(ctx, ret_names);
	return text_list_add(ret_names, name) < 0 ? fail_memory(ctx) : 0;
}

/* The pointers first, then what they point to: one allocation, which the list's end frees. */
static int make_list(struct lb_context *ctx, const struct lease_rows *rows, struct lb_lease ***ret_leases)
{
	size_t pointers = (rows->count + 1) * sizeof(struct lb_lease *);
	size_t offset =
		(pointers + _Alignof(struct lb_lease) - 1) / _Alignof(struct lb_lease) * _Alignof(struct lb_lease);
	char *block = malloc(offset + rows->count * sizeof(struct lb_lease));
	struct lb_lease **leases = (struct lb_lease **)(void *)block;
	struct lb_lease *items;

	if (!block)
		return fail_memory(ctx);
	items = (struct lb_lease *)(void *)(block + offset);
	if (rows->count)
		memcpy(items, rows->items, rows->count * sizeof *items);
	for (size_t i = 0; i < rows->count; i++)
		leases[i] = items + i;
	leases[rows->count] = NULL;
	*ret_leases = leases;
	return 0;
}

int lb_lease_list(struct lb_context *ctx, const char *network, struct lb_lease ***ret_leases, size_t *ret_count)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FREE struct record_identity *owners = NULL;
	CLEANUP_LEASE_ROWS struct lease_rows rows = { 0 };
	size_t count = 0;
	int r = name_networks(ctx, network, &names);

	if (r == 0)
		r = record_list_identities(ctx, false, &owners, &count);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };

		r = network_plan_make(ctx, names.items[i], &plan);
		if (r == 0)
			r = lease_rows_load(ctx, &plan, owners, count, &rows);
	}
	if (r == 0)
		r = make_list(ctx, &rows, ret_leases);
	if (r == 0 && ret_count)
		*ret_count = rows.count;
	return r;
}

void lb_lease_list_free(struct lb_lease **leases)
{
	free(leases);
}

/* ------------------------------------------------------------------------------------------- the pool */

/* Rows of one address stand together, the container's own in front. */
static void count_addresses(const struct subnet *subnet, const struct lease_rows *rows, struct lb_lease_pool *pool)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct lb_lease *row = rows->items + i;
		uint32_t address;

		if (!ipv4_parse(row->ipv4, &address) || !subnet_pool_has(subnet, address))
			continue;
		if (i > 0 && text_equal(row->ipv4, rows->items[i - 1].ipv4))
			continue;
		if (row->state == LB_LEASE_RESERVED || row->state == LB_LEASE_ACTIVE)
			pool->used++;
		else
			pool->foreign++;
	}
}

/* Addresses that rest, but for those that somebody has all the same. */
static int count_resting(struct lb_context *ctx, const struct network_plan *plan, const struct lease_rows *rows,
			 struct lb_lease_pool *pool)
{
	CLEANUP_FD int fd = open(plan->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_QUARANTINE struct quarantine quarantine = { 0 };
	int r = fd < 0 ? 0 : quarantine_load(ctx, fd, &quarantine);

	for (size_t i = 0; r == 0 && i < quarantine.count; i++) {
		char ipv4[IPV4_TEXT_SIZE];
		bool used = !subnet_pool_has(&plan->subnet, quarantine.entries[i].address);

		ipv4_format(quarantine.entries[i].address, ipv4);
		for (size_t k = 0; k < rows->count && !used; k++)
			used = text_equal(rows->items[k].ipv4, ipv4);
		pool->quarantined += !used;
	}
	return r;
}

int lb_lease_get_pool(struct lb_context *ctx, const char *network, struct lb_lease_pool *ret_pool)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	CLEANUP_FREE struct record_identity *owners = NULL;
	CLEANUP_LEASE_ROWS struct lease_rows rows = { 0 };
	struct lb_lease_pool pool = { .size = ret_pool->size };
	size_t count = 0;
	int r = CHECK_INPUT(ctx, ret_pool, lb_lease_pool);

	if (r == 0)
		r = network_plan_make(ctx, network, &plan);
	if (r == 0)
		r = record_list_identities(ctx, false, &owners, &count);
	if (r == 0)
		r = lease_rows_load(ctx, &plan, owners, count, &rows);
	if (r < 0)
		return r;
	text_copy(pool.network, sizeof pool.network, plan.bridge);
	pool.addresses = subnet_pool_size(&plan.subnet);
	count_addresses(&plan.subnet, &rows, &pool);
	r = count_resting(ctx, &plan, &rows, &pool);
	if (r < 0)
		return r;
	pool.free = pool.addresses - pool.used - pool.foreign - pool.quarantined;
	*ret_pool = pool;
	return 0;
}

/* ------------------------------------------------------------------------------------------ giving back */

/* What lb_lease_release() is asked for; "" where it does not matter. A lease with either of them is meant. */
struct wanted {
	char mac[MAC_TEXT_SIZE];
	char ipv4[IPV4_TEXT_SIZE];
};

static bool read_mac(const char *text, char ret_mac[MAC_TEXT_SIZE])
{
	if (!text_copy(ret_mac, MAC_TEXT_SIZE, text))
		return false;
	for (char *p = ret_mac; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (address_is_mac(ret_mac))
		return true;
	*ret_mac = '\0';
	return false;
}

static int find_wanted(struct lb_context *ctx, const char *what, const struct record_identity *owners, size_t count,
		       struct wanted *wanted)
{
	int r;

	if (read_mac(what, wanted->mac))
		return 0;
	if (address_is_ipv4(what)) {
		text_copy(wanted->ipv4, sizeof wanted->ipv4, what);
		return 0;
	}
	r = name_check(ctx, "container", what);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (!text_equal(owners[i].name, what))
			continue;
		text_copy(wanted->mac, sizeof wanted->mac, owners[i].identity.mac);
		text_copy(wanted->ipv4, sizeof wanted->ipv4, owners[i].identity.ipv4);
		return 0;
	}
	if (r < 0)
		return r;
	return fail_no_container(ctx, what);
}

/* 0 when leases were given back, 1 when there was none to give back. */
static int release_on(struct lb_context *ctx, const char *network, const struct record_identity *owners, size_t count,
		      const struct wanted *wanted)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	CLEANUP_LEASE_ROWS struct lease_rows rows = { 0 };
	int r = network_plan_make(ctx, network, &plan), nothing = 1;

	if (r == 0)
		r = lease_rows_load(ctx, &plan, owners, count, &rows);
	for (size_t i = 0; r >= 0 && i < rows.count; i++) {
		const struct lb_lease *row = rows.items + i;

		if (!lease_row_is_live(row) ||
		    (!text_equal(row->mac, wanted->mac) && !text_equal(row->ipv4, wanted->ipv4)))
			continue;
		r = lease_drop(ctx, &plan, row->mac, row->ipv4);
		nothing = nothing && r != 0;
	}
	return r < 0 ? r : nothing;
}

int lb_lease_release(struct lb_context *ctx, const char *what)
{
	CLEANUP_TEXT_LIST struct text_list networks = { 0 };
	CLEANUP_FREE struct record_identity *owners = NULL;
	struct wanted wanted = { 0 };
	size_t count = 0;
	int nothing = 1, r = rights_require_root(ctx);

	if (r == 0)
		r = record_list_identities(ctx, false, &owners, &count);
	if (r == 0)
		r = find_wanted(ctx, what, owners, count, &wanted);
	if (r == 0)
		r = network_settings_list(ctx, &networks);
	for (size_t i = 0; r >= 0 && i < networks.count; i++) {
		r = release_on(ctx, networks.items[i], owners, count, &wanted);
		nothing = nothing && r != 0;
	}
	return r < 0 ? r : nothing;
}
