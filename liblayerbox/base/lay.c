/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lay.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "../core/store.h"
#include "../util/file.h"
#include "../util/tree.h"

#define UNITS "etc/systemd/system"

enum { FILE_BYTES_MAX = 1 << 20, DEPTH_MAX = 32 };

/* ---- inside the tree ---- */

/* Opens a directory of the tree and makes it where it is not there yet; its parent is. */
static int open_or_make(int tree_fd, const char *path)
{
	CLEANUP_FD int parent = -1;
	CLEANUP_FD int made = -1;
	const char *name;
	int fd = tree_open_in_root(tree_fd, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd != -ENOENT)
		return fd;
	parent = tree_open_parent_in_root(tree_fd, path, &name);
	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, 0755) < 0)
		return -errno;
	made = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (made < 0 || fchmod(made, 0755) < 0) /* whatever the umask is */
		return -errno;
	return take_fd(&made);
}

/* mkdir -p; returns a descriptor of the last directory. */
static int open_made_path(int tree_fd, const char *path)
{
	CLEANUP_FREE char *prefix = strdup(path);
	int fd;

	if (!prefix)
		return -ENOMEM;
	for (char *slash = strchr(prefix, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		fd = open_or_make(tree_fd, prefix);
		*slash = '/';
		if (fd < 0)
			return fd;
		close_fd(fd);
	}
	return open_or_make(tree_fd, prefix);
}

/* ---- files ---- */

struct layer {
	struct lb_context *ctx;
	const char *source;           /* where the files come from, for sentences */
	int tree_fd;
};

static int lay_file(const struct layer *layer, int source_fd, const char *name, mode_t mode, int target_fd,
		    const char *target)
{
	CLEANUP_FREE char *data = NULL;
	size_t length;
	int r = file_read(source_fd, name, FILE_BYTES_MAX, &data, &length);

	if (r < 0)
		return fail_errno(layer->ctx, r, "cannot read %s/%s/%s", layer->source, target, name);
	r = file_write(target_fd, name, data, length, mode & 0111 ? 0755 : 0644, FILE_LAZY);
	return r < 0 ? fail_errno(layer->ctx, r, "cannot write %s/%s in the base", target, name) : 0;
}

/* @target is the directory's path in the tree, "" for its root. */
static int lay_directory(const struct layer *layer, int source_fd, const char *target, int depth)
{
	CLEANUP_FD int target_fd = open_made_path(layer->tree_fd, *target ? target : ".");
	CLEANUP_DIR DIR *dir = take_dir(source_fd);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return fail_errno(layer->ctx, errno, "cannot read %s/%s", layer->source, target);
	if (target_fd < 0)
		return fail_errno(layer->ctx, target_fd, "cannot make the directory /%s in the base", target);
	while (r == 0 && (entry = readdir(dir))) {
		CLEANUP_FREE char *below = text_format("%s%s%s", target, *target ? "/" : "", entry->d_name);
		struct stat st;

		if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
			continue;
		if (!below)
			return fail_memory(layer->ctx);
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return fail_errno(layer->ctx, errno, "cannot read %s/%s", layer->source, below);
		if (S_ISREG(st.st_mode)) {
			r = lay_file(layer, dirfd(dir), entry->d_name, st.st_mode, target_fd, target);
			continue;
		}
		if (!S_ISDIR(st.st_mode) || depth >= DEPTH_MAX)
			return fail(layer->ctx, -LB_ERR_BAD_CONFIG,
				    "%s/%s is neither a file nor a directory, or too deep", layer->source, below);
		r = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = r < 0 ? fail_errno(layer->ctx, errno, "cannot read %s/%s", layer->source, below)
			  : lay_directory(layer, r, below, depth + 1);
	}
	return r;
}

/* The operator's own tree of that name wins as a whole, like his recipes. */
static int lay_files(struct lb_context *ctx, const char *name, int tree_fd)
{
	CLEANUP_FREE char *own = store_path(ctx, STORE_RECIPES "/files/%s", name);
	CLEANUP_FREE char *installed = text_format("%s/" STORE_RECIPES "/files/%s", PKGDATADIR, name);
	struct layer layer = { .ctx = ctx, .source = own, .tree_fd = tree_fd };
	int fd;

	if (!own || !installed)
		return fail_memory(ctx);
	fd = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		layer.source = installed;
		fd = open(installed, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return fail_errno(ctx, errno, "cannot open %s, the files of a recipe", layer.source);
	return lay_directory(&layer, fd, "", 0);
}

/* ---- units ---- */

static int mask_unit(struct lb_context *ctx, int units_fd, const char *unit)
{
	if (unlinkat(units_fd, unit, 0) < 0 && errno != ENOENT)
		return fail_errno(ctx, errno, "cannot replace /" UNITS "/%s in the base", unit);
	if (symlinkat("/dev/null", units_fd, unit) < 0)
		return fail_errno(ctx, errno, "cannot mask %s in the base", unit);
	return 0;
}

int lay_recipe(struct lb_context *ctx, const struct recipe *recipe, int tree_fd)
{
	CLEANUP_FD int units_fd = -1;
	int r = 0;

	for (size_t i = 0; r == 0 && i < recipe->files.count; i++)
		r = lay_files(ctx, recipe->files.items[i], tree_fd);
	if (r < 0 || recipe->masks.count == 0)
		return r;
	units_fd = open_made_path(tree_fd, UNITS);
	if (units_fd < 0)
		return fail_errno(ctx, units_fd, "cannot open /" UNITS " in the base");
	for (size_t i = 0; r == 0 && i < recipe->masks.count; i++)
		r = mask_unit(ctx, units_fd, recipe->masks.items[i]);
	return r;
}
