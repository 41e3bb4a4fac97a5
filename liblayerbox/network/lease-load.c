/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the rows of a network come from: its containers, and its lease file. */
#include <time.h>

#include "lease-rows.h"
#include "plan.h"

static void warn_of_broken_lines(struct lb_context *ctx, const struct network_plan *plan,
				 const struct lease_table *leases)
{
	if (leases->broken)
		log_message(ctx, LB_LOG_WARNING,
			    "%s:%zu: this is not a lease as dnsmasq writes them; passed over %zu such line%s",
			    plan->lease_file, leases->first_broken, leases->broken, leases->broken == 1 ? "" : "s");
}

int lease_rows_load(struct lb_context *ctx, const struct network_plan *plan, const struct record_identity *owners,
		    size_t count, struct lease_rows *rows)
{
	CLEANUP_LEASE_TABLE struct lease_table leases = { 0 };
	CLEANUP_FREE struct record_identity *own = calloc(count + 1, sizeof *own);
	size_t own_count, before = rows->count;
	int r = own ? lease_table_load_planned(ctx, plan, &leases) : fail_memory(ctx);

	if (r < 0)
		return r;
	own_count = record_identities_on(ctx, plan->bridge, owners, count, own);
	warn_of_broken_lines(ctx, plan, &leases);
	if (lease_rows_add(rows, plan->bridge, own, own_count, &leases, (int64_t)time(NULL)) < 0)
		return fail_memory(ctx);
	for (size_t i = before; i < rows->count; i++)
		if (*rows->items[i].container && rows->items[i].state != LB_LEASE_CONFLICT)
			network_plan_ipv6(plan, rows->items[i].ipv4, rows->items[i].ipv6);
	return 0;
}
