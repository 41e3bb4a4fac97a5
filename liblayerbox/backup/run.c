/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backing containers up, one after the other. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

#include "../adapters/restic.h"
#include "../adapters/rights.h"
#include "../container/layout.h"
#include "../core/store.h"
#include "../events/event.h"
#include "backup.h"
#include "outcome.h"

struct run {
	struct lb_context *ctx;
	const struct restic *restic;
	bool with_base;
	char host[HOST_SIZE];
	lb_result_fn fn;
	void *userdata;
	int first_failure;
	char first_error[ERROR_MAX];
};

/*
 * One at a time of a container, since both would use the same labels. The container's own lock is for what is over
 * soon; so this one is on a directory in it that nothing else locks.
 */
static int lock_backup(struct lb_context *ctx, const char *name)
{
	CLEANUP_FREE char *relative = text_format(STORE_CONTAINERS "/%s/" LAYOUT_ROOTFS, name);
	CLEANUP_FD int fd = -1;
	int r;

	if (!relative)
		return fail_memory(ctx);
	r = lb_name_check(ctx, name);
	if (r == 0)
		r = store_open(ctx);
	if (r < 0)
		return r;
	fd = openat(ctx->root_fd, relative, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? fail_no_container(ctx, name)
				       : fail_errno(ctx, errno, "cannot open %s/%s", ctx->config.root, relative);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return take_fd(&fd);
	if (errno == EWOULDBLOCK)
		return fail(ctx, -LB_ERR_BUSY, "container '%s' is being backed up already, by another command", name);
	return fail_errno(ctx, errno, "cannot lock %s/%s", ctx->config.root, relative);
}

/* ---- sending it ---- */

struct stream {
	struct lb_context *ctx;
	const char *name;
	bool with_base;
};

static int write_stream(int fd, void *userdata)
{
	const struct stream *stream = userdata;
	const struct lb_export_options options = {
		.size = sizeof options, .snapshot = BACKUP_LABEL, .with_base = stream->with_base, .uncompressed = true
	};

	return lb_export(stream->ctx, stream->name, &options, fd);
}

/* The moment whose files it has is the backup's, in UTC as restic's environment says. */
static int add_arguments(const struct run *run, const char *name, const struct backup_snapshot *snapshot,
			 struct text_list *words)
{
	time_t created = (time_t)snapshot->created;
	struct tm parts;
	char text[32] = "";
	int r = text_list_add_words(words, "backup --quiet --stdin --tag " BACKUP_TAG " --stdin-filename");

	if (!gmtime_r(&created, &parts) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts))
		return -EINVAL;
	if (r == 0)
		r = text_list_format(words, BACKUP_FILE, name);
	if (r == 0)
		r = text_list_format(words, "--tag=" BACKUP_TAG_CONTAINER "%s", name);
	if (r == 0)
		r = text_list_format(words, "--tag=" BACKUP_TAG_BASE "%s", snapshot->base);
	if (r == 0 && run->with_base)
		r = text_list_add(words, "--tag=" BACKUP_TAG_WITH_BASE);
	if (r == 0)
		r = text_list_format(words, "--host=%s", run->host);
	if (r == 0)
		r = text_list_format(words, "--time=%s", text);
	return r;
}

static int send(const struct run *run, const char *name, const struct backup_snapshot *snapshot)
{
	struct stream stream = { .ctx = run->ctx, .name = name, .with_base = run->with_base };
	CLEANUP_TEXT_LIST struct text_list words = { 0 };
	int r = add_arguments(run, name, snapshot, &words);

	if (r < 0)
		return fail_errno(run->ctx, r, "cannot say to restic what is to be backed up");
	progress(run->ctx, -1, "backing up %s", name);
	return restic_save(run->ctx, run->restic, (const char *const *)words.items, write_stream, &stream);
}

/* ---- one container ---- */

static int back_up(const struct run *run, const char *name)
{
	struct backup_snapshot snapshot;
	int r = backup_snapshot_make(run->ctx, name, &snapshot);

	if (r == 0)
		r = send(run, name, &snapshot);
	if (r < 0)
		return fail_wrap(run->ctx, r, "cannot back up container '%s'", name);
	if (*snapshot.unfinished)
		return fail(run->ctx, -LB_ERR_PROGRAM_FAILED, "%s (its backup was made)", snapshot.unfinished);
	return 0;
}

static void tell(struct run *run, const char *name, int result)
{
	if (result < 0 && !run->first_failure) {
		run->first_failure = result;
		text_copy(run->first_error, sizeof run->first_error, run->ctx->error);
	}
	if (run->fn)
		run->fn(name, result, result < 0 ? run->ctx->error : "", run->userdata);
}

/* @unusable: why there is no repository to send anything to, or 0. */
static void run_one(struct run *run, const char *name, int unusable, const char *why)
{
	CLEANUP_FD int lock = lock_backup(run->ctx, name);
	int64_t began = (int64_t)time(NULL);
	int r;

	if (lock < 0) {
		tell(run, name, lock);
		return;
	}
	r = unusable < 0 ? fail(run->ctx, unusable, "cannot back up container '%s': %s", name, why)
			 : back_up(run, name);
	event_of(run->ctx, "backup", name, r, "");
	outcome_note(run->ctx, name, began, r, run->ctx->error);
	tell(run, name, r);
}

/* ---- all ---- */

/* Each once; NULL: all that there are. */
static int list_names(struct lb_context *ctx, const char *const *names, struct text_list *ret_names)
{
	if (!names)
		return record_list_names(ctx, ret_names);
	for (; *names; names++)
		if (!text_list_has(ret_names, *names) && text_list_add(ret_names, *names) < 0)
			return fail_memory(ctx);
	return 0;
}

int lb_backup_run(struct lb_context *ctx, const char *const *names, const struct lb_backup_options *options,
		  lb_result_fn fn, void *userdata)
{
	CLEANUP_RESTIC struct restic restic = { 0 };
	CLEANUP_TEXT_LIST struct text_list list = { 0 };
	struct run run = { .ctx = ctx, .restic = &restic, .fn = fn, .userdata = userdata };
	char why[ERROR_MAX] = "";
	int r = CHECK_INPUT(ctx, options, lb_backup_options), unusable;

	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = list_names(ctx, names, &list);
	if (r == 0)
		r = backup_host(ctx, run.host);
	if (r < 0)
		return r;
	run.with_base = options && options->with_base;
	/* Asked once, before any container is looked at: it may be far away, or locked for hours. */
	unusable = restic_open(ctx, &restic);
	if (unusable == 0)
		unusable = restic_run(ctx, &restic, (const char *const[]){ "cat", "config", NULL }, NULL, NULL);
	if (unusable < 0)
		text_copy(why, sizeof why, ctx->error);
	for (size_t i = 0; i < list.count; i++)
		run_one(&run, list.items[i], unusable, why);
	if (!run.first_failure)
		return unusable < 0 ? fail(ctx, unusable, "%s", why) : 0;
	return fail(ctx, run.first_failure, "%s", run.first_error);
}
