/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers and leases side by side: who has which address, and who has one that is another's. Worked out from the
 * containers' records and dnsmasq's lease file; nothing is asked or kept.
 */
#pragma once

#include "../container/record.h"
#include "lease.h"

struct network_plan;

struct lease_rows {
	struct lb_lease *items;       /* sorted by IPv4 address; a container's own first */
	size_t count, capacity;
};

/*
 * Adds what there is on one network to say of @owners, its containers, and @leases. A container is there once,
 * reserved or active; every other live lease once, foreign or a conflict. -ENOMEM or 0.
 */
int lease_rows_add(struct lease_rows *rows, const char *network, const struct record_identity *owners, size_t count,
		   const struct lease_table *leases, int64_t now);

void lease_rows_free(struct lease_rows *rows);

#define CLEANUP_LEASE_ROWS CLEANUP(lease_rows_free)

/*
 * Adds what there is on the planned network, whichever networks @owners are on. The log has a warning where the lease
 * file has broken lines.
 */
int lease_rows_load(struct lb_context *ctx, const struct network_plan *plan, const struct record_identity *owners,
		    size_t count, struct lease_rows *rows);

/* Is it a lease, and not only a reservation? */
bool lease_row_is_live(const struct lb_lease *row);
