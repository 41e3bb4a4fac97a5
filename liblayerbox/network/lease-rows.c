/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lease-rows.h"

#include "../core/subnet.h"
#include "../util/array.h"

/* The containers by MAC and by address, for bsearch(3). */
struct owner_index {
	const struct record_identity **by_mac, **by_ipv4;
	size_t count;
};

static int order_by_mac(const void *a, const void *b)
{
	const struct record_identity *const *left = a, *const *right = b;

	return strcmp((*left)->identity.mac, (*right)->identity.mac);
}

static int order_by_ipv4(const void *a, const void *b)
{
	const struct record_identity *const *left = a, *const *right = b;

	return strcmp((*left)->identity.ipv4, (*right)->identity.ipv4);
}

static void index_free(struct owner_index *index)
{
	free(index->by_mac);
	free(index->by_ipv4);
}

static int index_make(const struct record_identity *owners, size_t count, struct owner_index *index)
{
	*index = (struct owner_index){
		.by_mac = calloc(count + 1, sizeof *index->by_mac),
		.by_ipv4 = calloc(count + 1, sizeof *index->by_ipv4),
		.count = count,
	};
	if (!index->by_mac || !index->by_ipv4)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		index->by_mac[i] = index->by_ipv4[i] = owners + i;
	qsort(index->by_mac, count, sizeof *index->by_mac, order_by_mac);
	qsort(index->by_ipv4, count, sizeof *index->by_ipv4, order_by_ipv4);
	return 0;
}

/* The container whose MAC, or whose address, that of @identity is; NULL where there is none. */
static const struct record_identity *find(const struct record_identity **sorted, size_t count,
					  const struct network_identity *identity,
					  int (*order)(const void *, const void *))
{
	const struct record_identity key = { .identity = *identity }, *pointer = &key;
	const struct record_identity **found = bsearch(&pointer, sorted, count, sizeof *sorted, order);

	return found ? *found : NULL;
}

static struct lb_lease *add_row(struct lease_rows *rows, const char *network, const struct network_identity *identity)
{
	struct lb_lease *row, *items = array_grow(rows->items, rows->count, &rows->capacity, sizeof *items);

	if (!items)
		return NULL;
	rows->items = items;
	row = rows->items + rows->count++;
	*row = (struct lb_lease){ .state = LB_LEASE_RESERVED };
	text_copy(row->network, sizeof row->network, network);
	text_copy(row->mac, sizeof row->mac, identity->mac);
	text_copy(row->ipv4, sizeof row->ipv4, identity->ipv4);
	return row;
}

/* The live lease that is just what was reserved for @owner. */
static const struct lease *find_own_lease(const struct lease_table *leases, const struct record_identity *owner,
					  int64_t now)
{
	for (const struct lease *lease = lease_table_first(leases, owner->identity.mac);
	     lease && lease < leases->leases + leases->count && text_equal(lease->identity.mac, owner->identity.mac);
	     lease++)
		if (lease_is_live(lease, now) && text_equal(lease->identity.ipv4, owner->identity.ipv4))
			return lease;
	return NULL;
}

static int add_owner(struct lease_rows *rows, const char *network, const struct record_identity *owner,
		     const struct lease_table *leases, int64_t now)
{
	const struct lease *lease = find_own_lease(leases, owner, now);
	struct lb_lease *row = add_row(rows, network, &owner->identity);

	if (!row)
		return -ENOMEM;
	text_copy(row->container, sizeof row->container, owner->name);
	text_copy(row->name, sizeof row->name, lease && *lease->name ? lease->name : owner->name);
	if (lease) {
		row->state = LB_LEASE_ACTIVE;
		row->expiry = lease->expiry;
	}
	return 0;
}

/* @holder has the MAC, @owner the address; at least one of them is a container, and they are not the same one. */
static void note_conflict(struct lb_lease *row, const struct record_identity *holder,
			  const struct record_identity *owner)
{
	row->state = LB_LEASE_CONFLICT;
	text_copy(row->container, sizeof row->container, (holder ? holder : owner)->name);
	if (holder && owner)
		snprintf(row->problem, sizeof row->problem, "held by container '%s', but reserved for '%s'",
			 holder->name, owner->name);
	else if (holder)
		snprintf(row->problem, sizeof row->problem, "held by container '%s', for which %s is reserved",
			 holder->name, holder->identity.ipv4);
	else
		snprintf(row->problem, sizeof row->problem, "reserved for container '%s', but held by another MAC, %s",
			 owner->name, row->mac);
}

/* Every live lease but those of containers on their own addresses. */
static int add_lease(struct lease_rows *rows, const char *network, const struct owner_index *index,
		     const struct lease *lease)
{
	const struct record_identity *holder = find(index->by_mac, index->count, &lease->identity, order_by_mac);
	const struct record_identity *owner = find(index->by_ipv4, index->count, &lease->identity, order_by_ipv4);
	struct lb_lease *row;

	if (holder && text_equal(holder->identity.ipv4, lease->identity.ipv4))
		return 0;
	row = add_row(rows, network, &lease->identity);
	if (!row)
		return -ENOMEM;
	text_copy(row->name, sizeof row->name, lease->name);
	row->expiry = lease->expiry;
	if (holder || owner)
		note_conflict(row, holder, owner);
	else
		row->state = LB_LEASE_FOREIGN;
	return 0;
}

static int order_rows(const void *a, const void *b)
{
	const struct lb_lease *left = a, *right = b;
	uint32_t first = 0, second = 0;

	(void)ipv4_parse(left->ipv4, &first);
	(void)ipv4_parse(right->ipv4, &second);
	if (first != second)
		return first < second ? -1 : 1;
	return (int)left->state - (int)right->state;
}

int lease_rows_add(struct lease_rows *rows, const char *network, const struct record_identity *owners, size_t count,
		   const struct lease_table *leases, int64_t now)
{
	CLEANUP(index_free) struct owner_index index;
	size_t before = rows->count;
	int r = index_make(owners, count, &index);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = add_owner(rows, network, owners + i, leases, now);
	for (size_t i = 0; r == 0 && i < leases->count; i++)
		if (*leases->leases[i].identity.ipv4 && lease_is_live(leases->leases + i, now))
			r = add_lease(rows, network, &index, leases->leases + i);
	if (r == 0 && rows->count > before)
		qsort(rows->items + before, rows->count - before, sizeof *rows->items, order_rows);
	return r;
}

void lease_rows_free(struct lease_rows *rows)
{
	free(rows->items);
	*rows = (struct lease_rows){ 0 };
}

bool lease_row_is_live(const struct lb_lease *row)
{
	return row->state != LB_LEASE_RESERVED;
}
