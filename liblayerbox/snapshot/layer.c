/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layer.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../base/base.h"
#include "../core/store.h"
#include "../util/tree.h"

enum { TRIES = 20 };

/* A root that was prepared by an older version has no such directory. */
static int open_layers(struct lb_context *ctx)
{
	int r = store_open(ctx);

	if (r < 0)
		return r;
	if (mkdirat(ctx->root_fd, STORE_LAYERS, 0700) < 0 && errno != EEXIST)
		return fail_errno(ctx, errno, "cannot make %s/" STORE_LAYERS, ctx->config.root);
	return store_open_directory(ctx, STORE_LAYERS);
}

/* ---- making one ---- */

static int open_below(int dir_fd, const char *name)
{
	return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * Makes the hidden directory and locks it. -EAGAIN where a sweep, which takes what is not locked for left behind, has
 * come in between.
 */
static int make_locked(struct layer_draft *draft, const char *hidden)
{
	struct stat locked, present;

	if (mkdirat(draft->layers_fd, hidden, 0700) < 0)
		return errno == EEXIST ? -EAGAIN : -errno;
	draft->fd = open_below(draft->layers_fd, hidden);
	if (draft->fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (flock(draft->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	if (fstat(draft->fd, &locked) < 0)
		return -errno;
	if (fstatat(draft->layers_fd, hidden, &present, AT_SYMLINK_NOFOLLOW) < 0 || locked.st_ino != present.st_ino)
		return -EAGAIN;
	if (mkdirat(draft->fd, LAYER_TREE, 0755) < 0)
		return -errno;
	draft->tree_fd = open_below(draft->fd, LAYER_TREE);
	return draft->tree_fd < 0 ? -errno : 0;
}

static void hidden_name(const struct layer_draft *draft, char hidden[LAYER_ID_SIZE + 8])
{
	snprintf(hidden, LAYER_ID_SIZE + 8, STORE_NEW_PREFIX "%s", draft->id);
}

int layer_draft_begin(struct lb_context *ctx, const char *id, struct layer_draft *ret_draft)
{
	struct layer_draft draft = { .ctx = ctx, .layers_fd = open_layers(ctx), .fd = -1, .tree_fd = -1 };
	char hidden[LAYER_ID_SIZE + 8];
	int r = -EAGAIN;

	if (draft.layers_fd < 0)
		return draft.layers_fd;
	for (int tries = 0; r == -EAGAIN && tries < TRIES; tries++) {
		close_fd(take_fd(&draft.fd));
		if (id)
			text_copy(draft.id, sizeof draft.id, id);
		else
			layer_id_make(draft.id);
		hidden_name(&draft, hidden);
		r = layer_exists(ctx, draft.id) ? -EEXIST : make_locked(&draft, hidden);
	}
	if (r < 0) {
		if (r == -EEXIST || r == -EAGAIN) /* what is there is another's */
			close_fd(take_fd(&draft.fd));
		layer_draft_end(&draft);
		return r == -EEXIST ? fail(ctx, -LB_ERR_EXISTS, "there is a layer %s already", draft.id)
				    : fail_errno(ctx, r, "cannot make a layer in %s/" STORE_LAYERS, ctx->config.root);
	}
	*ret_draft = draft;
	return 0;
}

int layer_draft_publish(struct layer_draft *draft)
{
	char hidden[LAYER_ID_SIZE + 8];

	hidden_name(draft, hidden);
	if (syncfs(draft->fd) < 0)
		return fail_errno(draft->ctx, errno, "cannot write layer %s to disk", draft->id);
	if (renameat2(draft->layers_fd, hidden, draft->layers_fd, draft->id, RENAME_NOREPLACE) < 0)
		return fail_errno(draft->ctx, errno, "cannot give layer %s its name", draft->id);
	draft->published = true;
	if (fsync(draft->layers_fd) < 0)
		return fail_errno(draft->ctx, errno, "cannot write layer %s to disk", draft->id);
	return 0;
}

void layer_draft_end(struct layer_draft *draft)
{
	char hidden[LAYER_ID_SIZE + 8];

	close_fd(take_fd(&draft->tree_fd));
	if (draft->fd >= 0 && !draft->published) {
		hidden_name(draft, hidden);
		tree_remove(draft->layers_fd, hidden);
	}
	close_fd(take_fd(&draft->fd));
	close_fd(take_fd(&draft->layers_fd));
}

/* ---- opening ---- */

int layer_open(struct lb_context *ctx, const char *id)
{
	CLEANUP_FREE char *path = store_path(ctx, STORE_LAYERS "/%s", id);
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

	if (!path)
		return fail_memory(ctx);
	if (fd < 0)
		return fail(ctx, -LB_ERR_DAMAGED, "layer %s is gone: cannot open %s: %s", id, path,
			    strerrordesc_np(errno));
	return fd;
}

int layer_open_tree(struct lb_context *ctx, const char *id)
{
	CLEANUP_FD int layer_fd = layer_open(ctx, id);
	CLEANUP_FD int fd = layer_fd < 0 ? -1 : open_below(layer_fd, LAYER_TREE);

	if (layer_fd < 0)
		return layer_fd;
	/* Who has it exclusively asks whether others read it, and is done at once. */
	if (fd < 0 || flock(fd, LOCK_SH) < 0)
		return fail(ctx, -LB_ERR_DAMAGED, "layer %s is gone: cannot open its tree: %s", id,
			    strerrordesc_np(errno));
	return take_fd(&fd);
}

bool layer_exists(struct lb_context *ctx, const char *id)
{
	CLEANUP_FREE char *path = text_format(STORE_LAYERS "/%s/" LAYER_TREE, id);

	return path && store_open(ctx) == 0 && faccessat(ctx->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- chains ---- */

int chain_open_trees(struct lb_context *ctx, const struct chain *chain, const char *base, unsigned generation,
		     int top_fd, struct chain_trees *ret_trees)
{
	struct chain_trees trees = { 0 };
	int r = 0;

	if (top_fd >= 0) {
		r = fcntl(top_fd, F_DUPFD_CLOEXEC, 0);
		if (r < 0)
			return fail_errno(ctx, errno, "cannot open the top layer");
		trees.fds[trees.count++] = r;
	}
	for (size_t i = 0; r >= 0 && i < chain->count; i++) {
		r = layer_open_tree(ctx, chain->ids[i]);
		if (r >= 0)
			trees.fds[trees.count++] = r;
	}
	if (r >= 0 && base) {
		r = base_open_tree(ctx, base, generation);
		if (r >= 0)
			trees.fds[trees.count++] = r;
	}
	if (r < 0) {
		chain_trees_close(&trees);
		return r;
	}
	*ret_trees = trees;
	return 0;
}

int chain_hold_trees(struct lb_context *ctx, const struct chain *chain, const char *base_text, int top_fd,
		     struct chain_trees *ret_trees, int *ret_base_fd, int *ret_generation_fd)
{
	struct lb_base *base = NULL;
	int r = base_open(ctx, base_text, &base);

	if (r == 0)
		r = base_hold(base, ret_base_fd, ret_generation_fd);
	if (r == 0)
		r = chain_open_trees(ctx, chain, base->name, base->generation, top_fd, ret_trees);
	lb_base_free(base);
	return r;
}

void chain_trees_close(struct chain_trees *trees)
{
	for (size_t i = 0; i < trees->count; i++)
		close_fd(trees->fds[i]);
	trees->count = 0;
}
