/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rerender.h"

#include <fcntl.h>

#include "../util/file.h"
#include "../util/tree.h"
#include "layout.h"

enum { ROOTFS_FILE_MAX = 64 * 1024 };

static int replace(struct lb_context *ctx, int top_fd, const char *path, const char *before, const char *after)
{
	CLEANUP_FREE char *present = NULL;
	CLEANUP_FD int directory_fd = -1;
	const char *file;
	int r;

	directory_fd = tree_open_parent_in_root(top_fd, path, &file);
	if (directory_fd < 0)
		return directory_fd == -ENOENT ? 0 : fail_errno(ctx, directory_fd, "cannot open the directory of /%s", path);
	r = file_read(directory_fd, file, ROOTFS_FILE_MAX, &present, NULL);
	if (r == 0 && text_equal(present, after))
		return 0;
	if (r == -ENOENT)
		return 0; /* the base had no directory for it, or the customer has no use for it */
	if (r < 0 || !text_equal(present, before)) {
		log_message(ctx, LB_LOG_WARNING, "/%s in the container was changed there and stays as it is", path);
		return 0;
	}
	r = file_write(directory_fd, file, after, strlen(after), 0644, FILE_DURABLE);
	return r < 0 ? fail_errno(ctx, r, "cannot write /%s", path) : 0;
}

static int rerender_file(struct lb_context *ctx, int top_fd, const char *templates, const char *path,
			 const struct rootfs_values *old, const struct rootfs_values *new)
{
	CLEANUP_FREE char *before = NULL;
	CLEANUP_FREE char *after = NULL;
	int r = render_rootfs_file(ctx, templates, path, old, &before);

	if (r == 0)
		r = render_rootfs_file(ctx, templates, path, new, &after);
	if (r < 0 || text_equal(before, after))
		return r;
	return replace(ctx, top_fd, path, before, after);
}

static int rerender_tree(struct lb_context *ctx, int top_fd, const char *templates, const struct rootfs_values *old,
			 const struct rootfs_values *new)
{
	CLEANUP_TEXT_LIST struct text_list paths = { 0 };
	int r = render_rootfs_list(ctx, templates, &paths);

	for (size_t i = 0; r == 0 && i < paths.count; i++)
		r = rerender_file(ctx, top_fd, templates, paths.items[i], old, new);
	return r;
}

int rerender_rootfs(struct lb_context *ctx, int directory_fd, const struct rootfs_values *old,
		    const struct rootfs_values *new, bool is_static)
{
	CLEANUP_FD int top_fd = openat(directory_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (top_fd < 0)
		return fail_errno(ctx, errno, "cannot open the top layer of container '%s'", old->name);
	r = rerender_tree(ctx, top_fd, TEMPLATES_ROOTFS, old, new);
	return r == 0 && is_static ? rerender_tree(ctx, top_fd, TEMPLATES_STATIC, old, new) : r;
}
