/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <time.h>

#include "doctor.h"
#include "lease-drop.h"
#include "lease-rows.h"

/* The right one gets its address when it asks again; the wrong one will be given another. */
static void examine_row(struct network_examination *exam, const struct network_plan *plan, const struct lb_lease *row)
{
	char subject[64], problem[320];
	int r;

	if (row->state != LB_LEASE_CONFLICT)
		return;
	snprintf(subject, sizeof subject, "lease %s", row->ipv4);
	snprintf(problem, sizeof problem, "it is %s", row->problem);
	r = exam->findings->repair ? lease_drop(exam->ctx, plan, row->mac, row->ipv4) : 0;
	found_and_repaired(exam->findings, r, subject, problem, "gave that lease back",
			   "`layerbox doctor` gives that lease back");
}

/* No harm, but somebody should know; nothing to do, since only dnsmasq writes there. */
static void examine_lines(struct network_examination *exam, const struct network_plan *plan,
			  const struct lease_table *leases)
{
	char problem[512];

	if (!leases->broken)
		return;
	snprintf(problem, sizeof problem, "%s:%zu: %zu line%s of the lease file cannot be understood", plan->lease_file,
		 leases->first_broken, leases->broken, leases->broken == 1 ? "" : "s");
	found(exam->findings, false, exam->subject, problem,
	       "dnsmasq leaves them out when it next writes the file, at any change of a lease");
}

int examine_leases(struct network_examination *exam, const struct record_identity *owners, size_t count)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	CLEANUP_LEASE_TABLE struct lease_table leases = { 0 };
	CLEANUP_LEASE_ROWS struct lease_rows rows = { 0 };
	int r = network_plan_make(exam->ctx, exam->name, &plan);

	if (r == 0)
		r = lease_table_load_planned(exam->ctx, &plan, &leases);
	if (r < 0)
		return r;
	if (lease_rows_add(&rows, plan.bridge, owners, count, &leases, (int64_t)time(NULL)) < 0)
		return fail_memory(exam->ctx);
	examine_lines(exam, &plan, &leases);
	for (size_t i = 0; i < rows.count; i++)
		examine_row(exam, &plan, rows.items + i);
	return 0;
}
