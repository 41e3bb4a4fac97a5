/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Layers that nobody names any more. Which ones is decided, and all of them are hidden, under the root's lock; what
 * takes long is removed without it.
 */
#include <fcntl.h>
#include <sys/file.h>

#include "../core/lock.h"
#include "../core/store.h"
#include "../util/file.h"
#include "../util/tree.h"
#include "layer.h"
#include "references.h"

#define DUE STORE_LAYERS "/sweep-me"
#define BEGUN STORE_LAYERS "/sweep-begun"
#define PASSED "sweep-passed"         /* which nobody names, but somebody had a lock on; a line for each */

enum { PASSED_BYTES_MAX = 1 << 20 };

int layers_sweep_later(struct lb_context *ctx)
{
	int r = store_open(ctx);
	CLEANUP_FD int fd = -1;

	if (r < 0)
		return r;
	fd = openat(ctx->root_fd, DUE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	/* Without the directory there are no layers. */
	return fd < 0 && errno != ENOENT ? fail_errno(ctx, errno, "cannot write %s/" DUE, ctx->config.root) : 0;
}

/* Opens and locks a layer, unless its maker or a reader has a lock on it: then 1. One that is gone is nobody's. */
static int lock_layer(int layers_fd, const char *id, int *ret_fd)
{
	CLEANUP_FD int fd = openat(layers_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_FD int tree_fd = fd < 0 ? -1 : openat(fd, LAYER_TREE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || (tree_fd >= 0 && flock(tree_fd, LOCK_EX | LOCK_NB) < 0))
		return 1;
	*ret_fd = take_fd(&fd);
	return 0;
}

/* Is one free by now that the last sweep passed by? */
static bool has_passed_one(struct lb_context *ctx)
{
	CLEANUP_FD int layers_fd = openat(ctx->root_fd, STORE_LAYERS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_FREE char *text = NULL;
	char *rest, *id;
	int r = layers_fd < 0 ? -ENOENT : file_read(layers_fd, PASSED, PASSED_BYTES_MAX, &text, NULL);

	if (r < 0)
		return r != -ENOENT;
	for (rest = text; (id = strsep(&rest, "\n"));) {
		CLEANUP_FD int fd = -1;

		if (*id && lock_layer(layers_fd, id, &fd) <= 0)
			return true;
	}
	return false;
}

bool layers_sweep_is_due(struct lb_context *ctx)
{
	return store_open(ctx) == 0 && (faccessat(ctx->root_fd, DUE, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
					faccessat(ctx->root_fd, BEGUN, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
					has_passed_one(ctx));
}

/* One that goes: hidden, and locked so that no other sweep removes it at the same time. */
struct doomed {
	char hidden[128];
	int fd;
};

struct sweep {
	struct lb_context *ctx;
	int layers_fd;
	struct doomed *doomed;
	size_t count;
	struct buffer passed;         /* identifiers of those that are locked, a line for each */
};

/* Hides it, or remembers it where somebody has a lock on it. */
static int hide(struct sweep *sweep, const char *id)
{
	CLEANUP_FD int fd = -1;
	struct doomed *doomed = &sweep->doomed[sweep->count];
	int r = lock_layer(sweep->layers_fd, id, &fd);

	if (r != 0) {
		if (r != -ENOENT)
			buffer_format(&sweep->passed, "%s\n", id);
		return 0;
	}
	r = store_hide(sweep->ctx, sweep->layers_fd, id, doomed->hidden);
	if (r < 0)
		return r;
	doomed->fd = take_fd(&fd);
	sweep->count++;
	return 0;
}

static int remember_passed(struct sweep *sweep)
{
	int r = 0;

	if (sweep->passed.failed)
		r = -ENOMEM;
	else if (sweep->passed.length)
		r = file_write(sweep->layers_fd, PASSED, sweep->passed.data, sweep->passed.length, 0600, FILE_LAZY);
	else if (unlinkat(sweep->layers_fd, PASSED, 0) < 0 && errno != ENOENT)
		r = -errno;
	return r < 0 ? fail_errno(sweep->ctx, r, "cannot write down which layers are left for a later sweep") : 0;
}

/* The layers are listed first: one that comes later is not among them, and one that is, is named by now. */
static int choose(struct sweep *sweep)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_REFERENCES struct references references = { 0 };
	int r = tree_list_names(sweep->layers_fd, &names);

	if (r < 0)
		return fail_errno(sweep->ctx, r, "cannot list the layers");
	r = references_collect(sweep->ctx, &references);
	if (r < 0)
		return fail_wrap(sweep->ctx, r, "no layer is taken away as long as it is not known who needs it");
	sweep->doomed = calloc(names.count + 1, sizeof *sweep->doomed);
	if (!sweep->doomed)
		return fail_memory(sweep->ctx);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		if (layer_id_is_valid(names.items[i]) && !references_name(&references, names.items[i]))
			r = hide(sweep, names.items[i]);
	return r;
}

static void remove_all(struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->count; i++) {
		int r = tree_remove(sweep->layers_fd, sweep->doomed[i].hidden);

		if (r < 0)
			log_message(sweep->ctx, LB_LOG_WARNING,
				    "a layer that nobody needs could not be removed, %s: %s", sweep->doomed[i].hidden,
				    strerrordesc_np(-r));
		close_fd(sweep->doomed[i].fd);
	}
	free(sweep->doomed);
}

int layers_sweep(struct lb_context *ctx)
{
	CLEANUP_FD int lock_fd = lock_root(ctx);
	CLEANUP_FD int layers_fd = -1;
	struct sweep sweep = { .ctx = ctx };
	int r;

	if (lock_fd < 0)
		return lock_fd;
	layers_fd = openat(ctx->root_fd, STORE_LAYERS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (layers_fd < 0)
		return errno == ENOENT ? 0 : fail_errno(ctx, errno, "cannot open the layers");
	sweep.layers_fd = layers_fd;
	/* Before it is looked who needs what: a name that goes from now on asks for another sweep. */
	renameat(ctx->root_fd, DUE, ctx->root_fd, BEGUN);
	r = choose(&sweep);
	if (r == 0)
		r = remember_passed(&sweep);
	if (r == 0)
		unlinkat(ctx->root_fd, BEGUN, 0);
	close_fd(take_fd(&lock_fd));
	remove_all(&sweep);
	buffer_free(&sweep.passed);
	return r;
}
