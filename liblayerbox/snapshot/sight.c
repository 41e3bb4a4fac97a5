/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sight.h"

#include <fcntl.h>

#include "../container/layout.h"
#include "../container/next.h"

/* Nobody changes chains faster than they are read. */
enum { TRIES = 5 };

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
	int r = read_chain(ctx, container_fd, container, label, &sight->layers, sight->base);

	if (r == 0 && !label) {
		top_fd = openat(container_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (top_fd < 0)
			r = fail_errno(ctx, errno, "cannot open the top layer of container '%s'", container);
	}
	if (r == 0)
		r = chain_hold_trees(ctx, &sight->layers, sight->base, top_fd, &sight->trees, &sight->base_fd,
				     &sight->generation_fd);
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

/*
 * The directory of a container whose files are all where they belong: a change that a killed command left is finished.
 */
static int open_container(struct lb_context *ctx, const char *name)
{
	CLEANUP_FD int fd = record_open_directory(ctx, name);

	if (fd < 0)
		return fd;
	return next_is_committed(fd) ? container_lock(ctx, name) : take_fd(&fd);
}

/* Has it, or the snapshot, another chain by now, or is it about to? */
static bool has_changed(struct lb_context *ctx, int container_fd, const char *container, const char *label,
			const struct sight *sight)
{
	CLEANUP_FREE char *before = chain_format(&sight->layers);
	CLEANUP_FREE char *after = NULL;
	char base_text[BASE_TEXT_SIZE];
	struct chain layers;

	if (next_is_committed(container_fd) || read_chain(ctx, container_fd, container, label, &layers, base_text) < 0)
		return true;
	after = chain_format(&layers);
	return !before || !after || !text_equal(before, after) || !text_equal(sight->base, base_text);
}

int sight_open(struct lb_context *ctx, const char *container, const char *label, struct sight *ret_sight)
{
	int r = 0;

	for (int i = 0; i < TRIES; i++) {
		CLEANUP_FD int container_fd = open_container(ctx, container);
		CLEANUP_SIGHT struct sight sight = SIGHT_EMPTY;

		if (container_fd < 0)
			return container_fd;
		r = sight_open_locked(ctx, container_fd, container, label, &sight);
		if (r < 0 && r != -LB_ERR_DAMAGED && r != -LB_ERR_NO_BASE)
			return r;
		if (r < 0 || has_changed(ctx, container_fd, container, label, &sight))
			continue;
		*ret_sight = sight;
		sight = (struct sight)SIGHT_EMPTY;
		return 0;
	}
	if (r == 0)
		r = fail(ctx, -LB_ERR_BUSY, "container '%s' gets other layers all the time; try again", container);
	return r;
}
