/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "prune.h"

#include <time.h>

#include "../adapters/rights.h"
#include "../core/store.h"
#include "../core/tally.h"
#include "delete.h"

int prune_choose(struct lb_context *ctx, const struct keep_policy *policy, struct lb_snapshot *const *snapshots,
		 size_t count, int64_t now, bool *ret_doomed)
{
	CLEANUP_FREE int64_t *times = calloc(count + 1, sizeof *times);
	CLEANUP_FREE size_t *indices = calloc(count + 1, sizeof *indices);
	CLEANUP_FREE bool *kept = calloc(count + 1, sizeof *kept);
	size_t of_policy = 0;

	if (!times || !indices || !kept)
		return fail_memory(ctx);
	for (size_t i = 0; i < count; i++) {
		const struct snapshot_record *record = &snapshots[i]->record;

		ret_doomed[i] = record->expires && record->expires <= now;
		if (!record->scheduled || record->expires)
			continue;
		times[of_policy] = record->created;
		indices[of_policy++] = i;
	}
	keep_select(policy, times, of_policy, now, kept);
	for (size_t i = 0; i < of_policy; i++)
		ret_doomed[indices[i]] = !kept[i];
	return 0;
}

struct prune {
	struct lb_context *ctx;
	struct tally tally;
	int64_t now;
	bool untidy;                  /* of this container, some were removed */
};

static void prune_one(struct prune *prune, const struct lb_snapshot *snapshot)
{
	char text[sizeof snapshot->container + sizeof snapshot->label];
	int r = snapshot_forget(prune->ctx, snapshot->container, snapshot->label, &snapshot->record);

	/* Somebody else may have been here first, or have decided that it stays. */
	if (r == 1 || r == -LB_ERR_NO_SNAPSHOT || r == -LB_ERR_NO_CONTAINER)
		return;
	prune->untidy |= r == 0;
	snprintf(text, sizeof text, "%s/%s", snapshot->container, snapshot->label);
	tally_tell(&prune->tally, text, r < 0 ? r : 0);
}

/* What the container's settings say, else the host's. */
static int policy_of(struct lb_context *ctx, const struct record_entry *entry, struct keep_policy *ret_policy)
{
	const char *own = entry->record.snapshot_keep;
	const char *why = keep_parse(text_empty(own) ? ctx->config.snapshot_keep : own, ret_policy);

	return why ? fail(ctx, -LB_ERR_BAD_CONFIG, "container '%s': snapshot.keep %s", entry->name, why) : 0;
}

static int prune_container(struct prune *prune, const struct record_entry *entry)
{
	struct lb_snapshot **snapshots = NULL;
	CLEANUP_FREE bool *doomed = NULL;
	struct keep_policy policy;
	size_t count = 0;
	int r = policy_of(prune->ctx, entry, &policy);

	if (r == 0)
		r = lb_snapshot_list(prune->ctx, entry->name, &snapshots, &count);
	if (r < 0)
		return r;
	doomed = calloc(count + 1, sizeof *doomed);
	r = doomed ? prune_choose(prune->ctx, &policy, snapshots, count, prune->now, doomed) : fail_memory(prune->ctx);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (doomed[i])
			prune_one(prune, snapshots[i]);
	if (prune->untidy)
		layers_tidy(prune->ctx, entry->name);
	prune->untidy = false;
	lb_snapshot_list_free(snapshots);
	return r;
}

int lb_snapshot_prune(struct lb_context *ctx, const char *container, lb_result_fn fn, void *userdata)
{
	struct prune prune = { .ctx = ctx, .tally = TALLY(ctx, fn, userdata), .now = time(NULL) };
	struct record_entry *entries = NULL;
	size_t count = 0;
	bool found = false;
	int r = rights_require_root(ctx);

	if (r == 0 && container)
		r = name_check(ctx, "container", container);
	if (r == 0)
		r = store_open(ctx);
	if (r == 0)
		r = record_list_all(ctx, false, &entries, &count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (container && !text_equal(container, entries[i].name))
			continue;
		found = true;
		r = prune_container(&prune, &entries[i]);
		if (r < 0 && (r != -LB_ERR_NO_CONTAINER || container))
			tally_tell(&prune.tally, entries[i].name, r);
	}
	record_list_free(entries, count);
	return container && !found ? fail_no_container(ctx, container) : prune.tally.result;
}
