/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the rows come from: records, and the lease file of each network. */
#include <fcntl.h>
#include <time.h>

#include "../core/store.h"
#include "lease-rows.h"
#include "plan.h"

/* A record that cannot be read hides no other container: this only shows, and chooses nothing. */
static int load_owner(struct lb_context *ctx, int containers_fd, const char *name, struct record_identity *owner)
{
	CLEANUP_FD int fd = openat(containers_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct record record = { 0 };
	int r = record_read(ctx, fd, name, &record);

	if (r < 0 && r != -LB_ERR_NO_CONTAINER)
		log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
	if (r < 0)
		return r;
	*owner = (struct record_identity){ .identity = record.identity };
	text_copy(owner->name, sizeof owner->name, name);
	record_free(&record);
	return 0;
}

int lease_owners_load(struct lb_context *ctx, struct record_identity **ret_owners, size_t *ret_count)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FREE struct record_identity *owners = NULL;
	CLEANUP_FD int containers_fd = -1;
	size_t count = 0;
	int r = record_list_names(ctx, &names);

	if (r < 0)
		return r;
	containers_fd = store_open_directory(ctx, STORE_CONTAINERS);
	if (containers_fd < 0)
		return containers_fd;
	owners = calloc(names.count + 1, sizeof *owners);
	if (!owners)
		return fail_memory(ctx);
	for (size_t i = 0; i < names.count; i++)
		if (load_owner(ctx, containers_fd, names.items[i], owners + count) == 0)
			count++;
	*ret_owners = TAKE_PTR(owners);
	*ret_count = count;
	return 0;
}

/* Those of @all that are on the network, as an array of their own. */
static int select_owners(struct lb_context *ctx, const char *network, const struct record_identity *all, size_t count,
			 struct record_identity **ret_owners, size_t *ret_count)
{
	struct record_identity *owners = calloc(count + 1, sizeof *owners);
	size_t n = 0;

	if (!owners)
		return fail_memory(ctx);
	for (size_t i = 0; i < count; i++)
		if (text_equal(network_name(ctx, all[i].identity.network), network))
			owners[n++] = all[i];
	*ret_owners = owners;
	*ret_count = n;
	return 0;
}

static void warn_of_broken_lines(struct lb_context *ctx, const struct network_plan *plan, const struct lease_table *leases)
{
	if (leases->broken)
		log_message(ctx, LB_LOG_WARNING, "%s:%zu: this is not a lease as dnsmasq writes them; passed over %zu such line%s",
			    plan->lease_file, leases->first_broken, leases->broken, leases->broken == 1 ? "" : "s");
}

int lease_rows_load(struct lb_context *ctx, const struct network_plan *plan, const struct record_identity *owners,
		    size_t count, struct lease_rows *rows)
{
	CLEANUP_LEASE_TABLE struct lease_table leases = { 0 };
	CLEANUP_FREE struct record_identity *own = NULL;
	size_t own_count = 0, before = rows->count;
	int r = lease_table_load_planned(ctx, plan, &leases);

	if (r == 0)
		r = select_owners(ctx, plan->bridge, owners, count, &own, &own_count);
	if (r < 0)
		return r;
	warn_of_broken_lines(ctx, plan, &leases);
	if (lease_rows_add(rows, plan->bridge, own, own_count, &leases, (int64_t)time(NULL)) < 0)
		return fail_memory(ctx);
	for (size_t i = before; i < rows->count; i++)
		if (*rows->items[i].container && rows->items[i].state != LB_LEASE_CONFLICT)
			network_plan_ipv6(plan, rows->items[i].ipv4, rows->items[i].ipv6);
	return 0;
}
