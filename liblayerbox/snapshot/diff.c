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

static int compare_paths(struct lb_context *ctx, const struct sight *before, const struct sight *after,
			 lb_difference_fn fn, void *userdata, size_t *ret_count)
{
	const struct compare_side old = { &before->trees, before->what }, new = { &after->trees, after->what };

	return stacks_compare(ctx, &old, &new, fn, userdata, ret_count);
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
