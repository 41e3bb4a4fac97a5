/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "readdress.h"

#include <fcntl.h>
#include <time.h>

#include "../adapters/rights.h"
#include "../network/guests.h"
#include "../network/host-names.h"
#include "../network/lease-drop.h"
#include "../network/lease-rows.h"
#include "../network/plan.h"
#include "../network/reservation.h"
#include "container.h"
#include "next.h"
#include "rename.h"
#include "rerender.h"

/* Before the new reservation: a lease that stays would be a conflict, though one that expires by itself. */
static void drop_old_lease(struct lb_context *ctx, const struct network_plan *plan, const struct record *record)
{
	if (lease_drop(ctx, plan, record->identity.mac, record->ipv4_before) < 0)
		log_message(ctx, LB_LOG_WARNING, "the lease of the old address was not given back: %s", ctx->error);
}

static int update_files(struct lb_context *ctx, const char *name, int directory_fd, const struct network_plan *plan,
			const struct record *record)
{
	struct rootfs_values old, new;
	int r = render_rootfs_values(ctx, name, record, plan, &new);

	if (r < 0)
		return r;
	old = new;
	old.ipv4 = record->ipv4_before;
	network_plan_ipv6(plan, record->ipv4_before, old.ipv6);
	return rerender_rootfs(ctx, directory_fd, record, &old, &new);
}

int readdress_finish(struct lb_context *ctx, const char *name, int directory_fd, struct record *record)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	struct record before = *record; /* shares what it points to */
	int r = network_plan_make(ctx, record->identity.network, &plan);

	if (r < 0)
		return r;
	text_copy(before.identity.ipv4, sizeof before.identity.ipv4, record->ipv4_before);
	drop_old_lease(ctx, &plan, record);
	r = address_rest(ctx, &plan, record->ipv4_before);
	if (r >= 0)
		r = reservation_write_planned(ctx, &plan, name, &record->identity);
	if (r >= 0)
		r = guests_change(ctx, name, &before, name, record);
	if (r >= 0)
		r = update_files(ctx, name, directory_fd, &plan, record);
	if (r >= 0)
		r = render_config(ctx, directory_fd, name, record);
	if (r < 0)
		return r;
	record->ipv4_before[0] = '\0';
	return record_write(ctx, directory_fd, name, record);
}

/* ---------------------------------------------------------------------------------- what is refused */

static int refuse(struct lb_context *ctx, const struct network_plan *plan, const char *ipv4, const char *why)
{
	char first[IPV4_TEXT_SIZE], last[IPV4_TEXT_SIZE];

	ipv4_format(plan->subnet.first, first);
	ipv4_format(plan->subnet.last, last);
	return fail(ctx, -LB_ERR_BAD_VALUE, "%.20s %s; containers on %s can have %s to %s", ipv4, why, plan->bridge,
		    first, last);
}

static int check_address(struct lb_context *ctx, const struct network_plan *plan, const char *ipv4)
{
	const struct subnet *subnet = &plan->subnet;
	uint32_t address;

	if (!ipv4_parse(ipv4, &address))
		return fail(ctx, -LB_ERR_BAD_VALUE, "\"%.40s\" is not an IPv4 address, such as 10.0.3.20", ipv4);
	if ((address & subnet_netmask(subnet)) != subnet->network)
		return refuse(ctx, plan, ipv4, "is not in the network's subnet");
	if (address == subnet->network)
		return refuse(ctx, plan, ipv4, "is the address of the subnet itself");
	if (address == subnet_broadcast(subnet))
		return refuse(ctx, plan, ipv4, "is the subnet's broadcast address");
	if (address == subnet->gateway)
		return refuse(ctx, plan, ipv4, "is the bridge's own address");
	if (!subnet_pool_has(subnet, address))
		return refuse(ctx, plan, ipv4, "is not one that is handed out");
	return 0;
}

/* Does any other container, or the holder of a live lease, have it? All records must be known for that. */
static int check_free(struct lb_context *ctx, const struct network_plan *plan, const char *name, const char *mac,
		      const char *ipv4)
{
	CLEANUP_FREE struct record_identity *others = NULL;
	CLEANUP_LEASE_TABLE struct lease_table leases = { 0 };
	int64_t now = (int64_t)time(NULL);
	size_t count = 0;
	int r = record_list_identities(ctx, true, &others, &count);

	for (size_t i = 0; r == 0 && i < count; i++)
		if (text_equal(others[i].identity.ipv4, ipv4) && !text_equal(others[i].name, name))
			return fail(ctx, -LB_ERR_EXISTS, "%s is reserved for container '%s' already; choose another",
				    ipv4, others[i].name);
	if (r == 0)
		r = lease_table_load_planned(ctx, plan, &leases);
	for (size_t i = 0; r == 0 && i < leases.count; i++) {
		const struct lease *lease = leases.leases + i;

		if (lease_is_live(lease, now) && text_equal(lease->identity.ipv4, ipv4) &&
		    !text_equal(lease->identity.mac, mac))
			return fail(ctx, -LB_ERR_EXISTS,
				    "%s is leased to %s, which is no container's; choose another, or take it back with "
				    "`layerbox lease release %s` once nobody uses it",
				    ipv4, lease->identity.mac, ipv4);
	}
	return r;
}

/* ------------------------------------------------------------------------------------------ the change */

/*
 * First the record says what is going on; then all is made anew. The next start or doctor finishes for who is killed.
 */
static int readdress(struct lb_context *ctx, const char *name, int directory_fd, struct record *record,
		     const char *ipv4)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	int r = network_plan_make(ctx, record->identity.network, &plan);

	if (r == 0)
		r = check_address(ctx, &plan, ipv4);
	if (r < 0 || text_equal(record->identity.ipv4, ipv4))
		return r < 0 ? r : 1;
	r = check_free(ctx, &plan, name, record->identity.mac, ipv4);
	if (r < 0)
		return r;
	text_copy(record->ipv4_before, sizeof record->ipv4_before, record->identity.ipv4);
	text_copy(record->identity.ipv4, sizeof record->identity.ipv4, ipv4);
	r = record_write(ctx, directory_fd, name, record);
	if (r < 0)
		return r;
	r = readdress_finish(ctx, name, directory_fd, record);
	return r < 0 ? fail_wrap(ctx, r, "container '%s' has its new address, but", name) : 0;
}

static int reserve_locked(struct lb_context *ctx, const char *name, int directory_fd, const char *ipv4)
{
	struct record record = { 0 };
	int r = container_require_stopped(ctx, name,
					  "stop it first with `layerbox stop`, then give it another address");

	if (r == 0)
		r = record_read(ctx, directory_fd, name, &record);
	if (r < 0)
		return r;
	if (*record.renamed_from)
		r = rename_finish(ctx, name, directory_fd, &record);
	if (r == 0 && *record.ipv4_before)
		r = readdress_finish(ctx, name, directory_fd, &record);
	if (r == 0)
		r = readdress(ctx, name, directory_fd, &record, ipv4);
	record_free(&record);
	return r;
}

int lb_lease_reserve(struct lb_context *ctx, const char *name, const char *ipv4)
{
	CLEANUP_FD int root_lock = -1;
	CLEANUP_FD int directory_fd = -1;
	int r = name_check(ctx, "container", name);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r < 0)
		return r;
	directory_fd = container_lock_with_root(ctx, name, &root_lock);
	r = directory_fd < 0 ? directory_fd : reserve_locked(ctx, name, directory_fd, ipv4);
	if (r == 0)
		host_names_follow(ctx);
	return r;
}
