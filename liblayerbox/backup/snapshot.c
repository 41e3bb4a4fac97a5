/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The snapshot that a backup is made of: the container's own programs may prepare for it, and carry on after it. */
#include "../adapters/runtime.h"
#include "../container/container.h"
#include "backup.h"

enum { PATIENCE_S = 5 * 60 };

/* Runs what the key @key says in the container. */
static int run_hook(struct lb_container *container, const char *key, const char *command)
{
	struct lb_context *ctx = container->ctx;
	CLEANUP_TEXT_LIST struct text_list words = { 0 };
	CLEANUP_FREE char *output = NULL;
	int status, r;

	if (text_empty(command))
		return 0;
	if (text_list_add_words(&words, command) < 0)
		return fail_memory(ctx);
	r = container_exec_shortly(container, (const char *const *)words.items, PATIENCE_S, &status, &output);
	if (r < 0)
		return fail_wrap(ctx, r, "container '%s': cannot run its %s `%s`", container->name, key, command);
	if (status == 0)
		return 0;
	return fail(ctx, -LB_ERR_PROGRAM_FAILED, "container '%s': its %s `%s` ended with status %d: %.1000s", container->name,
		    key, command, status, text_last_line(output));
}

/*
 * Behind a snapshot, whatever became of that: what backup.pre has begun must end. Its failure does not spoil the files,
 * but what it left undone needs somebody.
 */
static void carry_on(struct lb_container *container, struct backup_snapshot *snapshot)
{
	struct lb_context *ctx = container->ctx;
	char error[ERROR_MAX];

	text_copy(error, sizeof error, ctx->error);
	if (run_hook(container, "backup.post", container->record.backup_post) < 0)
		text_copy(snapshot->unfinished, sizeof snapshot->unfinished, ctx->error);
	text_copy(ctx->error, sizeof ctx->error, error);
}

static int delete_if_there(struct lb_context *ctx, const char *name, const char *label)
{
	int r = lb_snapshot_delete(ctx, name, label);

	return r < 0 && r != -LB_ERR_NO_SNAPSHOT ? r : 0;
}

/* One that a killed run left goes first. Of a running container it copies what changed since the one before, */
static int make(struct lb_context *ctx, const char *name, struct backup_snapshot *snapshot)
{
	const struct lb_snapshot_options options = { .size = sizeof options,
						     .label = BACKUP_LABEL_NEW,
						     .comment = "of the last backup" };
	struct lb_snapshot *made = NULL;
	int r = delete_if_there(ctx, name, BACKUP_LABEL_NEW);

	if (r == 0)
		r = lb_snapshot_create(ctx, name, &options, &made);
	if (r < 0)
		return r;
	text_copy(snapshot->base, sizeof snapshot->base, lb_snapshot_get_base(made));
	snapshot->created = lb_snapshot_get_created(made);
	lb_snapshot_free(made);
	return 0;
}

/* which goes only then; but before anything is sent, so that no layer goes that only that one needs. */
static int replace(struct lb_context *ctx, const char *name)
{
	int r = delete_if_there(ctx, name, BACKUP_LABEL);

	if (r == 0)
		r = lb_snapshot_rename(ctx, name, BACKUP_LABEL_NEW, BACKUP_LABEL);
	return r < 0 ? fail_wrap(ctx, r, "cannot replace the snapshot of the backup before") : 0;
}

int backup_snapshot_make(struct lb_context *ctx, const char *name, struct backup_snapshot *ret_snapshot)
{
	CLEANUP(container_cleanup) struct lb_container *container = NULL;
	struct backup_snapshot snapshot = { 0 };
	bool runs;
	int r = lb_container_open(ctx, name, &container);

	if (r < 0)
		return r;
	runs = container->live.state == LB_STATE_RUNNING;
	r = runs ? run_hook(container, "backup.pre", container->record.backup_pre) : 0;
	if (r == 0)
		r = make(ctx, name, &snapshot);
	if (runs)
		carry_on(container, &snapshot);
	if (r == 0)
		r = replace(ctx, name);
	if (r < 0)
		return r;
	*ret_snapshot = snapshot;
	return 0;
}
