/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rerender.h"

#include <fcntl.h>

#include "../adapters/overlay-view.h"
#include "../snapshot/layer.h"
#include "../util/file.h"
#include "../util/tree.h"
#include "layout.h"

enum { ROOTFS_FILE_MAX = 64 * 1024 };

struct rerendering {
	struct lb_context *ctx;
	int top_fd, seen_fd;
	const struct rootfs_values *old, *new;
};

int rerender_open_seen(struct lb_context *ctx, const struct chain *layers, int top_fd)
{
	CLEANUP_CHAIN_TREES struct chain_trees trees = { 0 };
	char error[512] = "";
	int fd, r = chain_open_trees(ctx, layers, NULL, 0, top_fd, &trees);

	if (r < 0 || !trees.count)
		return r < 0 ? r : -ENOENT;
	fd = overlay_view_open(trees.fds, trees.count, "layerbox", error, sizeof error);
	return fd < 0 ? fail(ctx, fd, "cannot look at the layers of a container: %s", error) : fd;
}

int rerender_write(struct lb_context *ctx, int top_fd, int seen_fd, const char *path, const char *text, mode_t mode)
{
	CLEANUP_FD int directory_fd = -1;
	const char *file;
	int r = render_parents(top_fd, seen_fd, path);

	if (r > 0)
		return 0;
	directory_fd = r < 0 ? r : tree_open_parent_in_root(top_fd, path, &file);
	r = directory_fd < 0 ? directory_fd : file_write(directory_fd, file, text, strlen(text), mode, FILE_DURABLE);
	return r < 0 ? fail_errno(ctx, r, "cannot write /%s", path) : 0;
}

static int replace(const struct rerendering *work, const char *path, const char *before, const char *after)
{
	CLEANUP_FREE char *present = NULL;
	CLEANUP_FD int directory_fd = -1;
	const char *file;
	int r;

	directory_fd = tree_open_parent_in_root(work->seen_fd, path, &file);
	if (directory_fd < 0)
		return directory_fd == -ENOENT
			       ? 0
			       : fail_errno(work->ctx, directory_fd, "cannot open the directory of /%s", path);
	r = file_read(directory_fd, file, ROOTFS_FILE_MAX, &present, NULL);
	if (r == 0 && text_equal(present, after))
		return 0;
	if (r == -ENOENT)
		return 0; /* the base had no directory for it, or the customer has no use for it */
	if (r < 0 || !text_equal(present, before)) {
		log_message(work->ctx, LB_LOG_WARNING, "/%s in the container was changed there and stays as it is",
			    path);
		return 0;
	}
	return rerender_write(work->ctx, work->top_fd, work->seen_fd, path, after, 0644);
}

static int rerender_file(const struct rerendering *work, const char *templates, const char *path)
{
	CLEANUP_FREE char *before = NULL;
	CLEANUP_FREE char *after = NULL;
	int r = render_rootfs_file(work->ctx, templates, path, work->old, &before);

	if (r == 0)
		r = render_rootfs_file(work->ctx, templates, path, work->new, &after);
	if (r < 0 || text_equal(before, after))
		return r;
	return replace(work, path, before, after);
}

static int rerender_tree(const struct rerendering *work, const char *templates)
{
	CLEANUP_TEXT_LIST struct text_list paths = { 0 };
	int r = render_rootfs_list(work->ctx, templates, &paths);

	for (size_t i = 0; r == 0 && i < paths.count; i++)
		r = rerender_file(work, templates, paths.items[i]);
	return r;
}

int rerender_rootfs_into(struct lb_context *ctx, int top_fd, int seen_fd, const struct rootfs_values *old,
			 const struct rootfs_values *new, bool is_static)
{
	const struct rerendering work = { .ctx = ctx, .top_fd = top_fd, .seen_fd = seen_fd, .old = old, .new = new };
	int r = rerender_tree(&work, TEMPLATES_ROOTFS);

	return r == 0 && is_static ? rerender_tree(&work, TEMPLATES_STATIC) : r;
}

int rerender_rootfs(struct lb_context *ctx, int directory_fd, const struct record *record,
		    const struct rootfs_values *old, const struct rootfs_values *new)
{
	CLEANUP_FD int top_fd = openat(directory_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_FD int seen_fd = -1;

	if (top_fd < 0)
		return fail_errno(ctx, errno, "cannot open the top layer of container '%s'", old->name);
	if (!record->layers.count)
		return rerender_rootfs_into(ctx, top_fd, top_fd, old, new, record->identity.is_static);
	seen_fd = rerender_open_seen(ctx, &record->layers, top_fd);
	return seen_fd < 0 ? seen_fd : rerender_rootfs_into(ctx, top_fd, seen_fd, old, new, record->identity.is_static);
}
