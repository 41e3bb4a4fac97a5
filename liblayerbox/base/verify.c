/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is a sealed tree still what its manifest says? Everything is read. */
#include <fcntl.h>

#include "../adapters/rights.h"
#include "base.h"
#include "generation.h"
#include "manifest-difference.h"

static void base_cleanup(struct lb_base **base)
{
	lb_base_free(*base);
}

static int read_written(struct lb_context *ctx, int generation_fd, const char *what, struct manifest *ret_manifest)
{
	int r = manifest_read(ctx, generation_fd, what, ret_manifest);

	/* The sentence is there; here it is a damage, since nobody can say what the tree was. */
	return r == -ENOENT ? -LB_ERR_DAMAGED : r;
}

static int compare(struct lb_context *ctx, const struct lb_base *base, int generation_fd, lb_difference_fn fn,
		   void *userdata)
{
	CLEANUP_MANIFEST struct manifest written = { 0 };
	CLEANUP_MANIFEST struct manifest present = { 0 };
	CLEANUP_FD int tree_fd = -1;
	char what[NAME_LENGTH_MAX + 16];
	size_t count;
	int r;

	snprintf(what, sizeof what, "%s@%u", base->name, base->generation);
	r = read_written(ctx, generation_fd, what, &written);
	if (r < 0)
		return r;
	progress(ctx, -1, "checking %s", what);
	tree_fd = openat(generation_fd, GENERATION_TREE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree_fd < 0)
		return fail_errno(ctx, errno, "cannot open the tree of %s", what);
	r = manifest_scan(ctx, tree_fd, -1, NULL, &present);
	if (r < 0)
		return r;
	if (manifest_compare(&written, &present, fn, userdata, &count) < 0)
		return fail_memory(ctx);
	if (count > 0)
		return fail(ctx, -LB_ERR_DAMAGED,
			    "%s is not what it was when it was sealed: %zu path%s; make the next generation of it and "
			    "rebase what stands on this one, or put back what was changed",
			    what, count, count == 1 ? " differs" : "s differ");
	return 0;
}

int lb_base_verify(struct lb_context *ctx, const char *name, lb_difference_fn fn, void *userdata)
{
	CLEANUP(base_cleanup) struct lb_base *base = NULL;
	CLEANUP_FD int base_fd = -1;
	CLEANUP_FD int generation_fd = -1;
	int r = rights_require_root(ctx);

	if (r == 0)
		r = base_open(ctx, name, &base);
	if (r == 0)
		r = base_hold(base, &base_fd, &generation_fd);
	return r < 0 ? r : compare(ctx, base, generation_fd, fn, userdata);
}
