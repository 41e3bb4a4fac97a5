/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What differs between two generations, of one base or of two: by what was written down of them, not by their files. */
#include <fcntl.h>

#include "../adapters/rights.h"
#include "base.h"
#include "generation.h"
#include "installed.h"
#include "manifest-difference.h"

/* One of the two. */
struct side {
	struct lb_base *base;
	int base_fd, generation_fd, tree_fd;
	char what[NAME_LENGTH_MAX + 16];
	struct manifest manifest;
	struct installed installed;
};

#define SIDE_EMPTY { .base_fd = -1, .generation_fd = -1, .tree_fd = -1 }

static void side_close(struct side *side)
{
	manifest_free(&side->manifest);
	installed_free(&side->installed);
	close_fd(side->tree_fd);
	close_fd(side->generation_fd);
	close_fd(side->base_fd);
	lb_base_free(side->base);
}

static int side_open(struct lb_context *ctx, const char *name, struct side *side)
{
	int r = base_open(ctx, name, &side->base);

	if (r == 0)
		r = base_hold(side->base, &side->base_fd, &side->generation_fd);
	if (r < 0)
		return r;
	snprintf(side->what, sizeof side->what, "%s@%u", side->base->name, side->base->generation);
	side->tree_fd = openat(side->generation_fd, GENERATION_TREE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (side->tree_fd < 0)
		return fail_errno(ctx, errno, "cannot open the tree of %s", side->what);
	r = manifest_read(ctx, side->generation_fd, side->what, &side->manifest);
	if (r < 0)
		return r == -ENOENT ? -LB_ERR_DAMAGED : r;
	return installed_read(ctx, side->tree_fd, side->what, &side->installed);
}

int lb_base_diff(struct lb_context *ctx, const char *before, const char *after, lb_difference_fn fn, void *userdata)
{
	CLEANUP(side_close) struct side old = SIDE_EMPTY;
	CLEANUP(side_close) struct side new = SIDE_EMPTY;
	size_t packages, paths;
	int r = rights_require_root(ctx);

	if (r == 0)
		r = side_open(ctx, before, &old);
	if (r == 0)
		r = side_open(ctx, after, &new);
	if (r < 0)
		return r;
	packages = installed_compare(&old.installed, &new.installed, fn, userdata);
	if (manifest_compare(&old.manifest, &new.manifest, fn, userdata, &paths) < 0)
		return fail_memory(ctx);
	return packages + paths == 0;
}
