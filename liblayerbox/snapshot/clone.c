/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container that begins with another's files, all of them shared. */
#include "../container/next.h"
#include "../container/seed.h"
#include "../events/event.h"
#include "state.h"

/* The settings are those of today, the files those of the state. */
static int read_record(struct lb_context *ctx, const struct state *state, struct record *ret_record)
{
	CLEANUP_FD int fd = container_lock(ctx, state->container);
	int r = fd < 0 ? fd : record_read(ctx, fd, state->container, ret_record);

	if (r < 0)
		return r;
	text_copy(ret_record->base, sizeof ret_record->base, state->snapshot.base);
	ret_record->generation = state->snapshot.generation;
	return 0;
}

/* The state is held, and so are its layers, until the clone names them itself. */
static int clone_container(struct lb_context *ctx, const char *name, const char *snapshot, const char *new_name,
			   struct lb_container **ret_container)
{
	CLEANUP_STATE struct state state = STATE_EMPTY;
	struct container_seed seed = { 0 };
	struct record record = { 0 };
	int r = name_check(ctx, "container", new_name);

	if (r == 0)
		r = state_keep(ctx, name, snapshot, "clone", &state);
	if (r == 0)
		r = read_record(ctx, &state, &record);
	if (r == 0) {
		seed.like = &record;
		seed.layers = state.snapshot.layers;
		seed.origin = (struct container_origin){ .name = state.snapshot.name, .ipv4 = state.snapshot.ipv4 };
		r = container_create_from(ctx, new_name, &seed, ret_container);
	}
	record_free(&record);
	return r;
}

int lb_container_clone(struct lb_context *ctx, const char *name, const char *snapshot, const char *new_name,
		       struct lb_container **ret_container)
{
	CLEANUP_FREE char *from = text_format("from %s%s%s", name, snapshot ? "@" : "", snapshot ? snapshot : "");

	return event_of(ctx, "clone", new_name, clone_container(ctx, name, snapshot, new_name, ret_container), from ? from : "");
}
