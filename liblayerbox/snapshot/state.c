/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "state.h"

#include <fcntl.h>
#include <time.h>

#include "../container/next.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "make.h"

enum { TEMPORARY_S = 24 * 60 * 60 };

static int hold(struct state *state)
{
	const struct snapshot_record *snapshot = &state->snapshot;
	CLEANUP_FREE char *base_text = text_format("%s@%u", snapshot->base, snapshot->generation);

	if (!base_text)
		return fail_memory(state->ctx);
	return chain_hold_trees(state->ctx, &snapshot->layers, base_text, -1, &state->trees, &state->base_fd,
				&state->generation_fd);
}

static int read_and_hold(struct state *state)
{
	CLEANUP_FD int fd = container_lock(state->ctx, state->container);
	int r = fd < 0 ? fd : snapshot_read(state->ctx, fd, state->container, state->label, &state->snapshot);

	return r < 0 ? r : hold(state);
}

static int make_temporary(struct state *state, const char *purpose)
{
	struct lb_snapshot_options options = { .size = sizeof options,
					       .label = state->label,
					       .expires = time(NULL) + TEMPORARY_S };
	CLEANUP_FD int fd = container_lock(state->ctx, state->container);
	int r = fd < 0 ? fd : label_make(state->ctx, fd, state->container, purpose, state->label);

	close_fd(take_fd(&fd));
	if (r == 0)
		r = lb_snapshot_create(state->ctx, state->container, &options, NULL);
	state->temporary = r == 0;
	return r;
}

int state_keep(struct lb_context *ctx, const char *container, const char *label, const char *purpose,
	       struct state *ret_state)
{
	struct state state = STATE_EMPTY;
	int r = name_check(ctx, "container", container);

	state.ctx = ctx;
	if (r < 0)
		return r;
	text_copy(state.container, sizeof state.container, container);
	if (label)
		text_copy(state.label, sizeof state.label, label);
	else
		r = make_temporary(&state, purpose);
	if (r == 0)
		r = read_and_hold(&state);
	if (r < 0)
		state_release(&state);
	else
		*ret_state = state;
	return r;
}

void state_release(struct state *state)
{
	chain_trees_close(&state->trees);
	close_fd(take_fd(&state->generation_fd));
	close_fd(take_fd(&state->base_fd));
	snapshot_record_free(&state->snapshot);
	if (state->temporary) {
		CLEANUP_FREE char *error = strdup(state->ctx->error);

		if (lb_snapshot_delete(state->ctx, state->container, state->label) < 0)
			log_message(state->ctx, LB_LOG_WARNING, "%s", state->ctx->error);
		if (error)
			text_copy(state->ctx->error, sizeof state->ctx->error, error);
	}
	state->temporary = false;
}
