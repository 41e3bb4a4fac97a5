/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What differs between two states of a container. */
#include "../adapters/rights.h"
#include "../base/installed.h"
#include "../core/name.h"
#include "compare.h"
#include "sight.h"
#include "stacked.h"

static int read_packages(struct lb_context *ctx, const struct sight *sight, struct installed *ret_installed)
{
	char *text = NULL;
	int r = stacked_read(&sight->trees, INSTALLED_FILE, INSTALLED_BYTES_MAX, &text);

	if (r == -ENOENT || r == -EINVAL) /* no Debian, or somebody's joke */
		return 0;
	if (r < 0)
		return fail_errno(ctx, r, "cannot read /" INSTALLED_FILE " of %s", sight->what);
	return installed_parse(text, ret_installed) < 0 ? fail_memory(ctx) : 0;
}

static int compare_packages(struct lb_context *ctx, const struct sight *before, const struct sight *after,
			    lb_difference_fn fn, void *userdata, size_t *ret_count)
{
	CLEANUP_INSTALLED struct installed old = { 0 };
	CLEANUP_INSTALLED struct installed new = { 0 };
	int r = read_packages(ctx, before, &old);

	if (r == 0)
		r = read_packages(ctx, after, &new);
	if (r < 0)
		return r;
	*ret_count = installed_compare(&old, &new, fn, userdata);
	return 0;
}

/* Where one side is the container itself, and the other one a live copy of its top layer: what was copied when. */
static int load_states(struct lb_context *ctx, const struct sight *copy, const struct sight *present,
		       struct live_states **ret_states)
{
	CLEANUP_FD int layer_fd = -1;
	int r;

	if (!present->present || copy->present || copy->layers.count == 0)
		return 0;
	layer_fd = layer_open(ctx, copy->layers.ids[0]);
	if (layer_fd < 0)
		return layer_fd;
	r = live_states_load(ctx, layer_fd, ret_states);
	return r < 0 ? r : 0;
}

static int compare_paths(struct lb_context *ctx, const struct sight *before, const struct sight *after,
			 lb_difference_fn fn, void *userdata, size_t *ret_count)
{
	CLEANUP(live_states_free) struct live_states *before_states = NULL;
	CLEANUP(live_states_free) struct live_states *after_states = NULL;
	struct compare_side sides[2];
	int r = load_states(ctx, before, after, &before_states);

	if (r == 0)
		r = load_states(ctx, after, before, &after_states);
	if (r < 0)
		return r;
	sides[0] = (struct compare_side){ &before->trees, before->what, before_states };
	sides[1] = (struct compare_side){ &after->trees, after->what, after_states };
	return stacks_compare(ctx, &sides[0], &sides[1], fn, userdata, ret_count);
}

int lb_snapshot_diff(struct lb_context *ctx, const char *container, const char *before, const char *after,
		     lb_difference_fn fn, void *userdata)
{
	CLEANUP_SIGHT struct sight old = SIGHT_EMPTY;
	CLEANUP_SIGHT struct sight new = SIGHT_EMPTY;
	size_t packages = 0, paths = 0;
	int r = rights_require_root(ctx);

	if (r == 0)
		r = name_check(ctx, "container", container);
	if (r == 0)
		r = sight_open(ctx, container, before, &old);
	if (r == 0)
		r = sight_open(ctx, container, after, &new);
	if (r == 0)
		r = compare_packages(ctx, &old, &new, fn, userdata, &packages);
	if (r == 0)
		r = compare_paths(ctx, &old, &new, fn, userdata, &paths);
	return r < 0 ? r : packages + paths == 0;
}
