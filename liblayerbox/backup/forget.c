/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking away the backups that backup.keep does not keep. */
#include <time.h>

#include "../adapters/rights.h"
#include "../core/keep.h"
#include "entries.h"

struct forget {
	struct lb_context *ctx;
	const struct backup_entries *entries;
	struct keep_policy policy;
	char host[HOST_SIZE];
	const struct backup_entry **gone; /* as many as are found to go */
	size_t gone_count;
};

/* Those of one container, from @first to before @end: other hosts' have policies of their own. */
static int select_of_container(struct forget *forget, size_t first, size_t end)
{
	CLEANUP_FREE const struct backup_entry **own = calloc(end - first + 1, sizeof *own);
	CLEANUP_FREE int64_t *times = calloc(end - first + 1, sizeof *times);
	CLEANUP_FREE bool *kept = calloc(end - first + 1, sizeof *kept);
	size_t count = 0;

	if (!own || !times || !kept)
		return fail_memory(forget->ctx);
	for (size_t i = first; i < end; i++) {
		const struct backup_entry *entry = &forget->entries->items[i];

		if (!text_equal(entry->host, forget->host))
			continue;
		times[count] = entry->created;
		own[count++] = entry;
	}
	keep_select(&forget->policy, times, count, time(NULL), kept);
	for (size_t i = 0; i < count; i++)
		if (!kept[i])
			forget->gone[forget->gone_count++] = own[i];
	return 0;
}

static int select_all(struct forget *forget)
{
	const struct backup_entries *entries = forget->entries;
	size_t end;
	int r = 0;

	forget->gone = calloc(entries->count + 1, sizeof *forget->gone);
	if (!forget->gone)
		return fail_memory(forget->ctx);
	for (size_t first = 0; r == 0 && first < entries->count; first = end) {
		for (end = first; end < entries->count; end++)
			if (!text_equal(entries->items[end].container, entries->items[first].container))
				break;
		r = select_of_container(forget, first, end);
	}
	return r;
}

/* By their identifiers, so that restic takes away these and no others. */
static int remove_gone(const struct forget *forget, const struct restic *restic)
{
	CLEANUP_TEXT_LIST struct text_list words = { 0 };
	int r = text_list_add_words(&words, "forget --quiet --prune");

	for (size_t i = 0; r == 0 && i < forget->gone_count; i++)
		r = text_list_add(&words, forget->gone[i]->full_id);
	if (r < 0)
		return fail_memory(forget->ctx);
	return restic_run(forget->ctx, restic, (const char *const *)words.items, NULL, NULL);
}

static void tell_gone(const struct forget *forget, lb_result_fn fn, void *userdata)
{
	for (size_t i = 0; fn && i < forget->gone_count; i++) {
		CLEANUP_FREE char *name = text_format("%s@%s", forget->gone[i]->container, forget->gone[i]->id);

		if (name)
			fn(name, 0, "", userdata);
	}
}

static int forget_entries(struct forget *forget, const struct restic *restic, lb_result_fn fn, void *userdata)
{
	int r = select_all(forget);

	if (r == 0 && !forget->gone_count)
		r = 1;
	if (r == 0)
		r = remove_gone(forget, restic);
	if (r == 0)
		tell_gone(forget, fn, userdata);
	free(forget->gone);
	return r;
}

int lb_backup_forget(struct lb_context *ctx, const char *container, lb_result_fn fn, void *userdata)
{
	CLEANUP_RESTIC struct restic restic = { 0 };
	CLEANUP_BACKUP_ENTRIES struct backup_entries entries = { 0 };
	struct forget forget = { .ctx = ctx, .entries = &entries };
	const char *why = keep_parse(ctx->config.backup_keep, &forget.policy);
	int r = why ? fail(ctx, -LB_ERR_BAD_CONFIG, "backup.keep of %s %s", ctx->config_file, why)
		    : rights_require_root(ctx);

	if (r == 0 && container)
		r = lb_name_check(ctx, container);
	if (r == 0)
		r = restic_open(ctx, &restic);
	if (r == 0)
		r = backup_host(ctx, forget.host);
	if (r == 0)
		r = backup_entries_load(ctx, &restic, container, &entries);
	return r < 0 ? r : forget_entries(&forget, &restic, fn, userdata);
}
