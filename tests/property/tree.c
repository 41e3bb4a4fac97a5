/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tree - changes the root of a container and a plain tree beside it in the same way, and compares them.
 *
 *   tree grow DIRECTORY TIMES SEED                     random changes to a plain tree alone
 *   tree change CONTAINER PLAIN BELOW TIMES SEED       to both, below the directory BELOW, and compares
 *   tree compare CONTAINER PLAIN BELOW
 *   tree take CONTAINER PLAIN PATH...                  copies these files, or that they are gone, from the container
 *
 * The root is mounted as for a start, in a mount namespace of its own; of a container that runs it is the one it has.
 * All is done as the container's own root, with the plain tree seen through the same ids. LAYERBOX_ROOT says where it
 * lies. What differs is told on stderr, with what repeats it.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "../../liblayerbox/adapters/overlay.h"
#include "../../liblayerbox/container/layout.h"
#include "../../liblayerbox/container/root.h"
#include "../../liblayerbox/core/store.h"
#include "../../liblayerbox/util/tree-copy.h"
#include "../../liblayerbox/util/tree.h"
#include "compare.h"
#include "operations.h"

struct trees {
	int view_fd, plain_fd, top_fd;
	const char *below;            /* what @top_fd is above of: it may have none of it yet */
	bool privileged;
};

static int complain(const char *what)
{
	fprintf(stderr, "# %s: %m\n", what);
	return -1;
}

static int open_directory(int dir_fd, const char *path)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? complain(path) : fd;
}

/* ---- both trees, as the container sees them ---- */

static int open_mapped(int dir_fd, const char *path, int userns_fd)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns_fd };
	CLEANUP_FD int tree = open_tree(dir_fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 || (userns_fd >= 0 && mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0))
		return complain(path);
	return open_directory(tree, ".");
}

static int become_root_of(int userns_fd)
{
	if (setns(userns_fd, CLONE_NEWUSER) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return complain("becoming root of the container");
	return 0;
}

/* LAYERBOX_TEST_PID is that of the init of a container that runs. */
static int open_view(struct lb_context *ctx, const char *name, const struct record *record)
{
	CLEANUP_FREE char *pid = text_format("/proc/%s/root", getenv("LAYERBOX_TEST_PID") ?: "");
	CLEANUP_FREE char *path = store_path(ctx, STORE_CONTAINERS "/%s/" LAYOUT_ROOTFS, name);

	if (getenv("LAYERBOX_TEST_PID"))
		return open_directory(AT_FDCWD, pid);
	if (root_mount(ctx, name, record) < 0) {
		fprintf(stderr, "# %s\n", lb_context_error(ctx));
		return -1;
	}
	return open_directory(AT_FDCWD, path);
}

static int open_trees(struct lb_context *ctx, const char *name, const char *plain, struct trees *ret_trees)
{
	CLEANUP_FREE char *directory = store_path(ctx, STORE_CONTAINERS "/%s", name);
	CLEANUP_FD int userns_fd = -1;
	CLEANUP_FD int fd = -1;
	struct record record = { 0 };

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return complain("making a mount namespace");
	fd = open_directory(AT_FDCWD, directory); /* only now: mounts of another namespace cannot be copied */
	if (fd < 0 || record_read(ctx, fd, name, &record) < 0)
		return complain(lb_context_error(ctx));
	if (record.id_count)
		userns_fd = overlay_user_namespace(record.id_start, record.id_count);
	ret_trees->privileged = record.privileged;
	ret_trees->plain_fd = open_mapped(AT_FDCWD, plain, userns_fd);
	ret_trees->top_fd = open_mapped(fd, LAYOUT_TOP, userns_fd);
	ret_trees->view_fd = open_view(ctx, name, &record);
	record_free(&record);
	if (ret_trees->plain_fd < 0 || ret_trees->top_fd < 0 || ret_trees->view_fd < 0)
		return -1;
	return userns_fd >= 0 ? become_root_of(userns_fd) : 0;
}

static int go_below(struct trees *trees, const char *below)
{
	trees->view_fd = open_directory(trees->view_fd, below);
	trees->plain_fd = open_directory(trees->plain_fd, below);
	trees->below = below;
	return trees->view_fd < 0 || trees->plain_fd < 0 ? -1 : 0;
}

/* ---- what is done ---- */

static int compare(const struct trees *trees)
{
	size_t differences = trees_compare(trees->view_fd, trees->plain_fd, false, NULL);

	if (differences > 0)
		fprintf(stderr, "# %zu differences of container (first) and plain tree (second)\n", differences);
	return differences > 0 ? -1 : 0;
}

static int change(const struct trees *trees, const char *times, const char *seed)
{
	struct changes changes = {
		.random = strtoull(seed, NULL, 10),
		.view_fd = trees->view_fd,
		.plain_fd = trees->plain_fd,
		.top_fd = trees->top_fd,
		.top_path = trees->below,
		.privileged = trees->privileged,
	};
	bool trace = trees->plain_fd >= 0 && getenv("LAYERBOX_TEST_TRACE");

	for (unsigned long i = 0, end = strtoul(times, NULL, 10); i < end; i++) {
		if (changes_make(&changes) < 0) {
			fprintf(stderr, "# change %lu with seed %s: %s\n", i, seed, changes.last);
			return -1;
		}
		if (!trace)
			continue;
		fprintf(stderr, "# change %lu: %s\n", i, changes.last);
		if (compare(trees) < 0)
			return -1;
	}
	printf("%zu\n", changes.succeeded);
	if (trees->plain_fd < 0 || compare(trees) == 0)
		return 0;
	fprintf(stderr, "# after %s changes with seed %s; LAYERBOX_TEST_TRACE=yes compares after each\n", times, seed);
	return -1;
}

static int take_file(const struct trees *trees, const char *path)
{
	const char *name;
	CLEANUP_FD int from = tree_open_parent_in_root(trees->view_fd, path, &name);
	CLEANUP_FD int to = tree_open_parent_in_root(trees->plain_fd, path, &name);
	struct stat st, parent;
	bool is_there = from >= 0 && fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	int r;

	if (from < 0 || to < 0 || (is_there && S_ISDIR(st.st_mode)))
		return 0;
	r = tree_remove(to, name);
	if (r == 0 && is_there)
		r = tree_copy_entry(from, name, to, name, NULL);
	if (r == 0 && fstat(from, &parent) == 0)
		r = tree_set_attributes(to, ".", &parent);
	errno = -r;
	return r < 0 ? complain(path) : 0;
}

static int take(const struct trees *trees, char **paths)
{
	int r = 0;

	while (r == 0 && *paths)
		r = take_file(trees, *paths++);
	return r;
}

static int run(struct lb_context *ctx, int argc, char **argv)
{
	struct trees trees = { -1, -1, -1, ".", true };
	const char *what = argc > 1 ? argv[1] : "";

	if (text_equal(what, "grow") && argc == 5) {
		trees.view_fd = open_directory(AT_FDCWD, argv[2]);
		return trees.view_fd < 0 ? -1 : change(&trees, argv[3], argv[4]);
	}
	if (argc < 5 || open_trees(ctx, argv[2], argv[3], &trees) < 0)
		return -1;
	if (text_equal(what, "take"))
		return take(&trees, argv + 4);
	if (go_below(&trees, argv[4]) < 0)
		return -1;
	if (text_equal(what, "compare"))
		return compare(&trees);
	return text_equal(what, "change") && argc == 7 ? change(&trees, argv[5], argv[6]) : -1;
}

int main(int argc, char **argv)
{
	const struct lb_context_options options = { .size = sizeof options, .root = getenv("LAYERBOX_ROOT") };
	struct lb_context *ctx = NULL;
	int r = lb_context_new(&options, &ctx);

	umask(0);
	r = r < 0 ? r : run(ctx, argc, argv);
	lb_context_free(ctx);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
