/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots by schedules. Nothing is kept of when they ran but the snapshots themselves. */
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "../adapters/rights.h"
#include "../container/layout.h"
#include "../core/schedule.h"
#include "../core/store.h"
#include "../core/tally.h"
#include "prune.h"

struct run {
	struct lb_context *ctx;
	struct tally tally;
	int64_t now;
};

int64_t schedule_since(int64_t created, struct lb_snapshot *const *snapshots, size_t count, int64_t now)
{
	int64_t since = created <= now ? created : 0;

	for (size_t i = 0; i < count; i++) {
		const struct snapshot_record *record = &snapshots[i]->record;

		if (record->scheduled && record->created > since && record->created <= now)
			since = record->created;
	}
	return since;
}

/* 1, 0, or a failure. */
static int is_due(const struct run *run, const struct record_entry *entry, int64_t now)
{
	const char *own = entry->record.snapshot_schedule;
	const char *text = text_empty(own) ? run->ctx->config.snapshot_schedule : own;
	struct lb_snapshot **snapshots = NULL;
	struct schedule schedule;
	const char *why;
	size_t count = 0;
	int64_t since;
	int r;

	if (!*text || text_equal(text, "none"))
		return 0;
	why = schedule_parse(text, &schedule);
	if (why)
		return fail(run->ctx, -LB_ERR_BAD_CONFIG, "container '%s': snapshot.schedule %s", entry->name, why);
	r = lb_snapshot_list(run->ctx, entry->name, &snapshots, &count);
	if (r < 0)
		return r;
	since = schedule_since(entry->record.created, snapshots, count, now);
	lb_snapshot_list_free(snapshots);
	return schedule_is_due(&schedule, since, now);
}

static int make_one(const struct run *run, const char *name)
{
	char label[LABEL_SIZE];
	const struct lb_snapshot_options options = { .size = sizeof options, .label = label, .scheduled = true };
	time_t now = time(NULL);
	struct tm tm;
	int r;

	gmtime_r(&now, &tm);
	strftime(label, sizeof label, "auto-%Y%m%d-%H%M%S", &tm);
	r = lb_snapshot_create(run->ctx, name, &options, NULL);
	return r > 0 ? 0 : r;
}

/*
 * Keeps other runs from making the same snapshot, while the container's own lock is for what is over soon: on a
 * directory in it that nobody else locks: the mount point. -LB_ERR_BUSY where another run is at it.
 */
static int lock_schedule(struct lb_context *ctx, const char *name)
{
	CLEANUP_FD int container_fd = record_open_directory(ctx, name);
	CLEANUP_FD int fd = -1;

	if (container_fd < 0)
		return container_fd;
	fd = openat(container_fd, LAYOUT_ROOTFS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return take_fd(&fd);
	if (fd >= 0 && errno == EWOULDBLOCK)
		return fail(ctx, -LB_ERR_BUSY, "another command makes the snapshot of container '%s' that is due",
			    name);
	return fail_errno(ctx, errno, "cannot lock the snapshots of container '%s'", name);
}

/* 1 where none is due, or another run has made it just now, or is about to. */
static int make_if_due(const struct run *run, const struct record_entry *entry)
{
	CLEANUP_FD int lock_fd = -1;
	int r = is_due(run, entry, run->now);

	if (r <= 0)
		return r < 0 ? r : 1;
	lock_fd = lock_schedule(run->ctx, entry->name);
	if (lock_fd < 0)
		return lock_fd == -LB_ERR_BUSY ? 1 : lock_fd;
	r = is_due(run, entry, time(NULL));
	if (r <= 0)
		return r < 0 ? r : 1;
	return make_one(run, entry->name);
}

/* What is pruned is news for the log alone, for it is not what was asked for; a failure counts. */
static void on_pruned(const char *name, int result, const char *error, void *userdata)
{
	struct run *run = userdata;

	if (result < 0)
		tally_tell(&run->tally, name, result);
	else
		log_message(run->ctx, LB_LOG_INFO, "removed %s", name);
	(void)error;
}

int lb_snapshot_run(struct lb_context *ctx, lb_result_fn fn, void *userdata)
{
	struct run run = { .ctx = ctx, .tally = TALLY(ctx, fn, userdata), .now = time(NULL) };
	struct record_entry *entries = NULL;
	size_t count = 0;
	int r = rights_require_root(ctx);

	if (r == 0)
		r = store_open(ctx);
	if (r == 0)
		r = record_list_all(ctx, false, &entries, &count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		r = make_if_due(&run, &entries[i]);
		/* It was deleted while others had their turn. */
		if (r != 1 && r != -LB_ERR_NO_CONTAINER)
			tally_tell(&run.tally, entries[i].name, r);
	}
	record_list_free(entries, count);
	r = lb_snapshot_prune(ctx, NULL, on_pruned, &run);
	if (r < 0 && run.tally.result >= 0)
		run.tally.result = r;
	return run.tally.result;
}
