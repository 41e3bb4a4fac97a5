/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "apply.h"

#include <fcntl.h>
#include <stdio.h>

#include "../adapters/digest.h"
#include "../container/layout.h"
#include "../container/next.h"
#include "../container/render.h"
#include "../core/store.h"
#include "../util/stanza.h"
#include "finish.h"
#include "transaction.h"

#define STATUS "var/lib/dpkg/status"

enum { STATUS_BYTES_MAX = 64 << 20, DIGEST_TEXT = 2 * DIGEST_SHA256_BYTES };

/* ---- the files ---- */

struct trees {
	int old_fd, new_fd, top_fd;
};

static int put(const struct change *change, const struct trees *trees, struct transaction *transaction)
{
	const struct stat *like = change->has_like ? &change->like : NULL;

	switch (change->kind) {
	case CHANGE_DROP:
		return transaction_drop(transaction, change->path);
	case CHANGE_DATA:
		return transaction_put_data(transaction, change->path, change->data, change->length, like, -1);
	case CHANGE_COPY_OLD:
		return transaction_put_copy(transaction, change->path, trees->old_fd, change->source, like);
	case CHANGE_COPY_NEW:
		return transaction_put_copy(transaction, change->path, trees->new_fd, change->source, like);
	case CHANGE_COPY_TOP:
		return transaction_put_copy(transaction, change->path, trees->top_fd, change->source, like);
	case CHANGE_WHITEOUT:
		return transaction_put_whiteout(transaction, change->path);
	case CHANGE_ATTRIBUTES:
		return transaction_set_attributes(transaction, change->path, like);
	case CHANGE_UNCOVER:
		return transaction_uncover(transaction, change->path);
	}
	return 0;
}

static int put_all(const struct lb_rebase *rebase, const struct trees *trees, struct transaction *transaction)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rebase->changes.count; i++)
		r = put(&rebase->changes.items[i], trees, transaction);
	return r == 0 ? transaction_commit(transaction) : r;
}

/* ---- the package database as it was left ---- */

/* What dpkg may write in another order or form does not count: names, versions and states do. */
static void add_packages(const char *text, struct text_list *lines)
{
	static const char *const fields[] = { "Package", "Architecture", "Version", "Status" };
	const char *cursor = text;
	struct slice stanza;

	while (stanza_next(&cursor, &stanza)) {
		CLEANUP_BUFFER struct buffer line = { 0 };

		for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
			struct slice value = stanza_get(stanza, fields[i]);

			buffer_add_text(&line, " ");
			buffer_add(&line, value.data, value.length);
		}
		if (!line.failed)
			text_list_add(lines, line.data);
	}
	text_list_sort(lines);
}

/* "" where there is none. */
static void digest_packages(int top_fd, int base_fd, char ret_text[DIGEST_TEXT + 1])
{
	const struct view view = { .base_fd = base_fd, .top_fd = top_fd };
	CLEANUP_TEXT_LIST struct text_list lines = { 0 };
	CLEANUP_BUFFER struct buffer all = { 0 };
	CLEANUP_FREE char *text = NULL;
	uint8_t digest[DIGEST_SHA256_BYTES];

	*ret_text = '\0';
	if (view_read(&view, STATUS, STATUS_BYTES_MAX, &text) < 0)
		return;
	add_packages(text, &lines);
	for (size_t i = 0; i < lines.count; i++)
		buffer_format(&all, "%s\n", lines.items[i]);
	digest_sha256(all.data, all.length, digest);
	digest_to_text(digest, sizeof digest, ret_text);
}

static int refuse_changed_packages(struct lb_context *ctx, int container_fd, const char *name,
				   const struct record *record)
{
	CLEANUP_FD int top_fd = openat(container_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_FD int base_fd = base_open_tree(ctx, record->base, record->generation);
	char text[DIGEST_TEXT + 1];

	if (base_fd < 0)
		return base_fd;
	if (top_fd < 0)
		return fail_errno(ctx, errno, "cannot open the top layer of container '%s'", name);
	digest_packages(top_fd, base_fd, text);
	if (text_equal(text, record->rebased_status))
		return 0;
	return fail(ctx, -LB_ERR_CONFLICT,
		    "packages of container '%s' were changed since its rebase: going back would leave a package "
		    "database "
		    "that does not tell the truth. Undo those changes first, or keep the rebase with `layerbox rebase "
		    "--confirm %s`",
		    name, name);
}

/* ---- there ---- */

/* What is done before the record says so. */
static int switch_files(struct lb_context *ctx, int container_fd, const struct lb_rebase *rebase, struct record *record)
{
	CLEANUP_TRANSACTION struct transaction *transaction = NULL;
	CLEANUP_FD int old_fd = base_open_tree(ctx, record->base, record->generation);
	CLEANUP_FD int new_fd = old_fd < 0 ? -1 : base_open_tree(ctx, rebase->to_base, rebase->to_generation);
	CLEANUP_FD int top_fd = openat(container_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const struct trees trees = { old_fd, new_fd, top_fd };
	int r;

	if (old_fd < 0 || new_fd < 0)
		return old_fd < 0 ? old_fd : new_fd;
	if (top_fd < 0)
		return fail_errno(ctx, errno, "cannot open the top layer of container '%s'", rebase->name);
	r = transaction_begin(ctx, container_fd, rebase->name, &transaction);
	if (r < 0)
		return r;
	transaction_set_below(transaction, new_fd);
	r = put_all(rebase, &trees, transaction);
	if (r == 0)
		r = finish_run(ctx, container_fd, rebase, record, transaction);
	if (r == 0)
		digest_packages(top_fd, new_fd, record->rebased_status);
	return r;
}

/* Puts the files back; the sentence of what failed stays. */
static void put_back(struct lb_context *ctx, int container_fd, const char *name)
{
	char error[ERROR_MAX];
	int r;

	text_copy(error, sizeof error, ctx->error);
	r = transaction_undo(ctx, container_fd, name);
	if (r >= 0)
		r = transaction_confirm(ctx, container_fd, name);
	if (r < 0)
		log_message(ctx, LB_LOG_ERROR, "%s; the next start tries again", ctx->error);
	text_copy(ctx->error, sizeof ctx->error, error);
}

/*
 * Writing a record can fail with the new one on disk already, which then counts: files are put back under the old one
 * only. False where it cannot be brought back; then all is left as it is, whole, and on the new generation.
 */
static bool keep_old_record(struct lb_context *ctx, int container_fd, const char *name, struct record *record)
{
	CLEANUP_FREE char *error = strdup(ctx->error);
	struct record on_disk = { 0 };
	int r = record_read(ctx, container_fd, name, &on_disk);

	if (r == 0 && *on_disk.rebased_from)
		r = record_write(ctx, container_fd, name, record);
	record_free(&on_disk);
	if (error)
		text_copy(ctx->error, sizeof ctx->error, error);
	return r >= 0;
}

int rebase_apply(struct lb_context *ctx, int container_fd, const struct lb_rebase *rebase, struct record *record)
{
	struct record before = *record;
	int r = rebase_settle(ctx, rebase->name, container_fd, record);

	if (r < 0)
		return r;
	r = switch_files(ctx, container_fd, rebase, record);
	if (r == 0) {
		text_copy(record->rebased_from, sizeof record->rebased_from, rebase->from);
		record->rebased_by_refresh = rebase->is_refresh;
		text_copy(record->base, sizeof record->base, rebase->to_base);
		record->generation = rebase->to_generation;
		*record->rebase_to = '\0';
		r = record_write(ctx, container_fd, rebase->name, record);
	}
	if (r < 0) {
		text_copy(record->base, sizeof record->base, before.base);
		record->generation = before.generation;
		*record->rebased_from = '\0';
		if (keep_old_record(ctx, container_fd, rebase->name, record))
			put_back(ctx, container_fd, rebase->name);
		return r;
	}
	/* How init is stopped may have changed with the base; the next start renders it again anyway. */
	if (render_config(ctx, container_fd, rebase->name, record) < 0)
		log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
	return 0;
}

/* ---- and back ---- */

int rebase_take_back(struct lb_context *ctx, const char *name, int container_fd, struct record *record)
{
	enum transaction_state state;
	int r = transaction_get_state(ctx, container_fd, name, &state);

	if (r < 0)
		return r;
	if (!*record->rebased_from || state != TRANSACTION_SWITCHED)
		return 1;
	r = refuse_changed_packages(ctx, container_fd, name, record);
	if (r < 0)
		return r;
	/* What was undone is not brought back by the next start. */
	snprintf(record->refresh_tried, sizeof record->refresh_tried, "%s@%u", record->base, record->generation);
	if (!name_parse_base(record->rebased_from, record->base, &record->generation))
		return fail(ctx, -LB_ERR_BAD_CONFIG, "container '%s' does not say where its rebase came from", name);
	/* From here on it is on the old generation: whoever is killed now is followed by rebase_recover(). */
	*record->rebased_from = '\0';
	r = record_write(ctx, container_fd, name, record);
	if (r == 0)
		r = transaction_undo(ctx, container_fd, name);
	if (r >= 0 && render_config(ctx, container_fd, name, record) < 0)
		log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
	return r < 0 ? r : 0;
}

int rebase_settle(struct lb_context *ctx, const char *name, int container_fd, struct record *record)
{
	int r;

	if (!*record->rebased_from)
		return 1;
	/* In this order: a journal under a record without rebased_from would be undone. */
	r = transaction_confirm(ctx, container_fd, name);
	if (r < 0)
		return r;
	*record->rebased_from = '\0';
	return record_write(ctx, container_fd, name, record);
}

bool rebase_is_interrupted(struct lb_context *ctx, const char *name, int container_fd, const struct record *record)
{
	enum transaction_state state;

	if (*record->rebased_from || faccessat(container_fd, LAYOUT_REBASE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return transaction_get_state(ctx, container_fd, name, &state) == 0 && state == TRANSACTION_SWITCHED;
}

int rebase_recover(struct lb_context *ctx, const char *name, int container_fd, struct record *record)
{
	enum transaction_state state;
	int r;

	/* A way back that was being given up: what is left of it goes. */
	if (*record->rebased_from) {
		r = transaction_get_state(ctx, container_fd, name, &state);
		return r < 0 || state == TRANSACTION_SWITCHED ? r : rebase_settle(ctx, name, container_fd, record);
	}
	if (!rebase_is_interrupted(ctx, name, container_fd, record))
		return 0;
	r = transaction_undo(ctx, container_fd, name);
	if (r < 0)
		return r;
	log_message(ctx, LB_LOG_WARNING, "container '%s': a rebase that was interrupted is undone", name);
	return 0;
}

int rebase_recover_unlocked(struct lb_context *ctx, const char *name)
{
	CLEANUP_FD int fd = container_lock(ctx, name);
	struct record record = { 0 };
	int r = fd < 0 ? fd : record_read(ctx, fd, name, &record);

	if (r == 0)
		r = rebase_recover(ctx, name, fd, &record);
	record_free(&record);
	return r;
}
