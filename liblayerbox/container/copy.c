/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copying files into and out of a container, running or not. */
#include "../adapters/rights.h"
#include "../util/spawn.h"
#include "container.h"
#include "next.h"

#define HELPER PKGLIBEXECDIR "/layerbox-files"

static int copy(struct lb_container *container, const char *direction, const char *source, const char *destination,
		const char *inside)
{
	struct lb_context *ctx = container->ctx;
	const char *argv[] = { HELPER, direction, ctx->config.root, container->name, source, destination, NULL };
	CLEANUP_FREE char *output = NULL;
	CLEANUP_FD int lock_fd = -1;
	int status, r = rights_require_root(ctx);

	if (r < 0)
		return r;
	if (*inside != '/')
		return fail(ctx, -LB_ERR_BAD_VALUE, "the path in the container, \"%s\", must be absolute", inside);
	/* While it is stopped its root is mounted for the copy; it must not be started meanwhile. */
	lock_fd = text_equal(direction, "push") ? container_enter(ctx, container->name) :
						  container_lock(ctx, container->name);
	if (lock_fd < 0)
		return lock_fd;
	r = container_is_stopped(ctx, container->name);
	if (r < 0)
		return r;
	if (r == 0)
		close_fd(take_fd(&lock_fd));
	r = spawn_run(argv, &(struct spawn_options){ 0 }, &status, &output);
	if (r == -ENOENT || r == -EACCES)
		return fail(ctx, -LB_ERR_NO_PROGRAM,
			    "the helper program " HELPER " is missing; install layerbox again");
	if (r < 0)
		return fail_errno(ctx, r, "cannot run the helper program " HELPER);
	/* Where one side fails, so does the other: the first line is the cause, the second what followed from it. */
	output[strcspn(output, "\n")] = '\0';
	if (status != 0)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED, "cannot copy %s to %s: %s", source, destination,
			    text_trim(output));
	return 0;
}

int lb_container_push(struct lb_container *container, const char *source, const char *destination)
{
	return copy(container, "push", source, destination, destination);
}

int lb_container_pull(struct lb_container *container, const char *source, const char *destination)
{
	return copy(container, "pull", source, destination, source);
}
