/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sight.h"

#include <fcntl.h>

#include "../container/layout.h"
#include "../container/next.h"

void sight_close(struct sight *sight)
{
	chain_trees_close(&sight->trees);
	close_fd(take_fd(&sight->generation_fd));
	close_fd(take_fd(&sight->base_fd));
}

/* Which layers and which base: of the record, or of a snapshot. */
static int read_chain(struct lb_context *ctx, int container_fd, const char *container, const char *label,
		      struct chain *ret_layers, char base_text[BASE_TEXT_SIZE])
{
	int r;

	if (label) {
		struct snapshot_record record;

		r = snapshot_read(ctx, container_fd, container, label, &record);
		if (r < 0)
			return r;
		*ret_layers = record.layers;
		snprintf(base_text, BASE_TEXT_SIZE, "%s@%u", record.base, record.generation);
		snapshot_record_free(&record);
	} else {
		struct record record = { 0 };

		r = record_read(ctx, container_fd, container, &record);
		if (r < 0)
			return r;
		*ret_layers = record.layers;
		snprintf(base_text, BASE_TEXT_SIZE, "%s@%u", record.base, record.generation);
		record_free(&record);
	}
	return 0;
}

static int open_all(struct lb_context *ctx, int container_fd, const char *container, const char *label,
		    struct sight *sight)
{
	CLEANUP_FD int top_fd = -1;
	char base_text[BASE_TEXT_SIZE];
	struct lb_base *base = NULL;
	int r = read_chain(ctx, container_fd, container, label, &sight->layers, base_text);

	if (r == 0)
		r = base_open(ctx, base_text, &base);
	if (r == 0)
		r = base_hold(base, &sight->base_fd, &sight->generation_fd);
	if (r == 0 && !label) {
		top_fd = openat(container_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (top_fd < 0)
			r = fail_errno(ctx, errno, "cannot open the top layer of container '%s'", container);
	}
	if (r == 0)
		r = chain_open_trees(ctx, &sight->layers, base->name, base->generation, top_fd, &sight->trees);
	lb_base_free(base);
	return r;
}

int sight_open_locked(struct lb_context *ctx, int container_fd, const char *container, const char *label,
		      struct sight *ret_sight)
{
	CLEANUP_SIGHT struct sight sight = SIGHT_EMPTY;
	int r = label ? label_check(ctx, label) : 0;

	if (r < 0)
		return r;
	if (label)
		snprintf(sight.what, sizeof sight.what, "snapshot '%s' of container '%s'", label, container);
	else
		snprintf(sight.what, sizeof sight.what, "container '%s'", container);
	sight.present = !label;
	r = open_all(ctx, container_fd, container, label, &sight);
	if (r < 0)
		return r;
	*ret_sight = sight;
	sight = (struct sight)SIGHT_EMPTY;
	return 0;
}

int sight_open(struct lb_context *ctx, const char *container, const char *label, struct sight *ret_sight)
{
	CLEANUP_FD int container_fd = container_lock(ctx, container);

	return container_fd < 0 ? container_fd : sight_open_locked(ctx, container_fd, container, label, ret_sight);
}
