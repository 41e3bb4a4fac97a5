/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a start rebases first: where it was sent, or where refresh.base wants it. */
#include "apply.h"
#include "rebase.h"
#include "refresh.h"

/* The customer's service comes first: where that cannot be done it starts as it was, and the operator is told. */
static int rebase_first(struct lb_context *ctx, const char *name, int container_fd, struct record *record,
			const struct lb_rebase_options *options, enum plan_fetch fetch, bool is_refresh)
{
	struct lb_rebase *rebase = NULL;
	int r = rebase_locked(ctx, name, container_fd, record, options, fetch, is_refresh, &rebase);

	rebase_tell(ctx, name, r, rebase);
	if (r == 0)
		log_message(ctx, LB_LOG_INFO, "container '%s' is rebased from %s to %s", name, rebase->from,
			    rebase->to);
	lb_rebase_free(rebase);
	return r;
}

static void do_pending(struct lb_context *ctx, const char *name, int container_fd, struct record *record)
{
	char to[BASE_TEXT_SIZE];
	const struct lb_rebase_options options = { .size = sizeof options, .to = to };
	/* No start waits for a network. */
	const enum plan_fetch fetch = record->rebase_fetch ? PLAN_FETCH_KEPT : PLAN_FETCH_NOT;

	text_copy(to, sizeof to, record->rebase_to);
	if (rebase_first(ctx, name, container_fd, record, &options, fetch, false) < 0)
		log_message(ctx, LB_LOG_WARNING, "the rebase that was pending is not done: %s", ctx->error);
}

/* No start tries in vain what the one before has tried in vain. */
static void do_refresh(struct lb_context *ctx, const char *name, int container_fd, struct record *record, const char *to)
{
	const struct lb_rebase_options options = { .size = sizeof options, .to = to };
	int r = rebase_first(ctx, name, container_fd, record, &options, PLAN_FETCH_NOT, true);

	if (r >= 0)
		return;
	log_message(ctx, LB_LOG_WARNING, "refresh.base: %s", ctx->error);
	if (!refresh_is_refusal(r))
		return;
	text_copy(record->refresh_tried, sizeof record->refresh_tried, to);
	if (record_write(ctx, container_fd, name, record) < 0)
		log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
}

bool rebase_is_due(struct lb_context *ctx, const struct record *record)
{
	char to[BASE_TEXT_SIZE];

	return *record->rebase_to || refresh_get(ctx, record, to) == REFRESH_DUE;
}

int rebase_before_start(struct lb_context *ctx, const char *name, int container_fd, struct record *record)
{
	char to[BASE_TEXT_SIZE];
	enum refresh refresh;
	int r = rebase_recover(ctx, name, container_fd, record);

	if (r < 0)
		return r;
	if (*record->rebase_to) {
		do_pending(ctx, name, container_fd, record);
		return 0;
	}
	refresh = refresh_get(ctx, record, to);
	if (refresh == REFRESH_DUE)
		do_refresh(ctx, name, container_fd, record, to);
	if (refresh == REFRESH_WAITS)
		log_message(ctx, LB_LOG_INFO,
			    "container '%s' comes to %s when its rebase from %s is confirmed: `layerbox rebase --confirm %s`",
			    name, to, record->rebased_from, name);
	return 0;
}
