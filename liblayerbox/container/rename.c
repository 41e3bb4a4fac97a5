/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../adapters/rights.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../network/reservation.h"
#include "../util/file.h"
#include "../util/tree.h"
#include "container.h"
#include "layout.h"
#include "rename.h"
#include "render.h"

enum { ROOTFS_FILE_MAX = 64 * 1024 };

/* The files of a top layer that hold the container's name. */
static const char *const named_files[] = { "etc/hostname", "etc/hosts" };

/*
 * Renders @path for the new name, where it still is what was rendered for the old one: what the customer has made
 * of it stays theirs.
 */
static int rename_inside(struct lb_context *ctx, int top_fd, const char *path, const struct rootfs_values *old,
			 const struct rootfs_values *new)
{
	CLEANUP_FREE char *before = NULL;
	CLEANUP_FREE char *after = NULL;
	CLEANUP_FREE char *present = NULL;
	CLEANUP_FD int directory_fd = -1;
	const char *file;
	int r = render_rootfs_file(ctx, path, old, &before);

	if (r == 0)
		r = render_rootfs_file(ctx, path, new, &after);
	if (r < 0)
		return r;
	directory_fd = tree_open_parent_in_root(top_fd, path, &file);
	if (directory_fd < 0)
		return directory_fd == -ENOENT ? 0 : fail_errno(ctx, directory_fd, "cannot open the directory of /%s", path);
	r = file_read(directory_fd, file, ROOTFS_FILE_MAX, &present, NULL);
	if (r < 0 || !text_equal(present, before)) {
		log_message(ctx, LB_LOG_WARNING, "/%s in the container was changed there and still says '%s'", path, old->name);
		return 0;
	}
	r = file_write(directory_fd, file, after, strlen(after), 0644, FILE_DURABLE);
	return r < 0 ? fail_errno(ctx, r, "cannot write /%s", path) : 0;
}

static int rename_files(struct lb_context *ctx, const char *name, int directory_fd, const struct record *record)
{
	CLEANUP_FD int top_fd = openat(directory_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct rootfs_values old, new;
	int r;

	if (top_fd < 0)
		return fail_errno(ctx, errno, "cannot open the top layer of container '%s'", name);
	r = render_rootfs_values(ctx, record->renamed_from, record, &old);
	new = old;
	new.name = name;
	for (size_t i = 0; r == 0 && i < sizeof named_files / sizeof *named_files; i++)
		r = rename_inside(ctx, top_fd, named_files[i], &old, &new);
	return r;
}

int rename_finish(struct lb_context *ctx, const char *name, int directory_fd, struct record *record)
{
	int r = render_config(ctx, directory_fd, name, record);

	if (r >= 0)
		r = reservation_write(ctx, name, &record->identity);
	if (r >= 0 && !text_equal(name, record->renamed_from))
		r = rename_files(ctx, name, directory_fd, record);
	if (r < 0)
		return r;
	record->renamed_from[0] = '\0';
	return record_write(ctx, directory_fd, name, record);
}

/*
 * What holds the name is made from the directory's name. First the record says what is going on; then the directory
 * changes its name, in one step; then all is made anew. Whoever kills us in between leaves a record by which the next
 * start or doctor finishes.
 */
static int rename_locked(struct lb_container *container, int directory_fd, const char *new_name)
{
	struct lb_context *ctx = container->ctx;
	struct record *record = &container->record;
	CLEANUP_FD int containers_fd = store_open_directory(ctx, STORE_CONTAINERS);
	const char *name = new_name;
	int r = containers_fd < 0 ? containers_fd : 0, finished;

	text_copy(record->renamed_from, sizeof record->renamed_from, container->name);
	if (r == 0)
		r = record_write(ctx, directory_fd, container->name, record);
	if (r == 0)
		r = reservation_remove(ctx, container->name); /* never both at once: one address would be reserved twice */
	if (r < 0)
		return r;
	if (renameat2(containers_fd, container->name, containers_fd, new_name, RENAME_NOREPLACE) < 0) {
		r = errno == EEXIST ? fail(ctx, -LB_ERR_EXISTS, "there is a container '%s' already", new_name)
				    : fail_errno(ctx, errno, "cannot rename container '%s'", container->name);
		name = container->name;
	} else if (fsync(containers_fd) < 0) {
		log_message(ctx, LB_LOG_WARNING, "the new name may not be on disk yet");
	}
	if (r < 0) {
		char error[ERROR_MAX];

		text_copy(error, sizeof error, ctx->error);
		rename_finish(ctx, name, directory_fd, record);
		return fail(ctx, r, "%s", error);
	}
	finished = rename_finish(ctx, name, directory_fd, record);
	return finished < 0 ? fail_wrap(ctx, finished, "container '%s' has its new name, but", new_name) : 0;
}

int lb_container_rename(struct lb_container *container, const char *new_name)
{
	struct lb_context *ctx = container->ctx;
	CLEANUP_FREE char *directory = NULL;
	struct record record = { 0 };
	CLEANUP_FD int root_lock = -1;
	CLEANUP_FD int directory_fd = -1;
	int r = name_check(ctx, "container", new_name);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r < 0 || text_equal(container->name, new_name))
		return r < 0 ? r : 1;
	root_lock = lock_root(ctx);
	if (root_lock < 0)
		return root_lock;
	directory_fd = lock_container(ctx, container->name);
	if (directory_fd < 0)
		return directory_fd;
	r = container_require_stopped(ctx, container->name, "stop it first with `layerbox stop`, then rename it");
	if (r < 0)
		return r;
	directory = store_path(ctx, STORE_CONTAINERS "/%s", new_name);
	if (!directory)
		return fail_memory(ctx);
	r = record_read(ctx, directory_fd, container->name, &record);
	if (r < 0)
		return r;
	record_free(&container->record);
	container->record = record;
	r = rename_locked(container, directory_fd, new_name);
	if (r < 0)
		return r;
	text_copy(container->name, sizeof container->name, new_name);
	free(container->directory);
	container->directory = TAKE_PTR(directory);
	return 0;
}
