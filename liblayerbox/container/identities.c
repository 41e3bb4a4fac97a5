/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each container has for itself alone, of all containers: what a create chooses beside. */

#include "../network/settings.h"
#include "identity-cache.h"

static void note_identity(const char *name, const struct record *record, struct record_identity *identity)
{
	*identity = (struct record_identity){ .identity = record->identity };
	identity->id_end = record->id_start + record->id_count;
	text_copy(identity->name, sizeof identity->name, name);
}

/* The identity that the cache or, where it has none, the record itself tells; 1 where the container went away. */
static int find_identity(struct lb_context *ctx, int containers_fd, const char *name,
			 const struct identity_cache *cache, struct identity_entry *ret_entry)
{
	const struct identity_entry *known = NULL;
	struct record record;
	int r;

	*ret_entry = (struct identity_entry){ 0 };
	if (identity_stamp(containers_fd, name, &ret_entry->stamp))
		known = identity_cache_find(cache, name, &ret_entry->stamp);
	if (known) {
		ret_entry->identity = known->identity;
		return 0;
	}
	r = record_read_by_name(ctx, containers_fd, name, &record);
	if (r != 0)
		return r;
	note_identity(name, &record, &ret_entry->identity);
	record_free(&record);
	return 0;
}

/* Fills @entries, which have room for all of @names; returns how many there are. */
static int find_identities(struct lb_context *ctx, int containers_fd, const struct text_list *names, bool all,
			   struct identity_entry *entries)
{
	CLEANUP(identity_cache_free) struct identity_cache cache = { 0 };
	size_t count = 0;

	identity_cache_load(containers_fd, &cache);
	for (size_t i = 0; i < names->count; i++) {
		int r = find_identity(ctx, containers_fd, names->items[i], &cache, &entries[count]);

		if (r < 0 && all)
			return r;
		if (r < 0 && r != -LB_ERR_NO_CONTAINER)
			log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
		count += r == 0;
	}
	identity_cache_save(&cache, entries, count);
	return (int)count;
}

int record_list_identities(struct lb_context *ctx, bool all, struct record_identity **ret_identities,
			   size_t *ret_count)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FREE struct identity_entry *entries = NULL;
	CLEANUP_FD int containers_fd = record_open_all(ctx, &names);
	struct record_identity *identities;
	int count;

	if (containers_fd < 0)
		return containers_fd;
	entries = calloc(names.count + 1, sizeof *entries);
	count = entries ? find_identities(ctx, containers_fd, &names, all, entries) : fail_memory(ctx);
	if (count < 0)
		return count;
	identities = calloc((size_t)count + 1, sizeof *identities);
	if (!identities)
		return fail_memory(ctx);
	for (int i = 0; i < count; i++)
		identities[i] = entries[i].identity;
	*ret_identities = identities;
	*ret_count = (size_t)count;
	return 0;
}

size_t record_identities_on(const struct lb_context *ctx, const char *network, const struct record_identity *identities,
			    size_t count, struct record_identity *ret_own)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (text_equal(network_name(ctx, identities[i].identity.network), network))
			ret_own[n++] = identities[i];
	return n;
}
