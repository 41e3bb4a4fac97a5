/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A manifest from a tree. One thread walks, by descriptors of directories that are opened by their path within the
 * tree, so that depth costs neither stack nor descriptors. A path that is too long for any program to open (PATH_MAX)
 * is refused: a tree of such, made as a trap, would take memory by the square of its depth. Then several read files, in
 * the order of their inodes, which on most file systems is about the one on disk.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "../util/tree.h"
#include "../util/array.h"
#include "manifest-entry.h"
#include "manifest-hash.h"
#include "manifest.h"

struct scan {
	struct lb_context *ctx;
	int tree_fd;
	int previous_fd;
	struct text_list directories; /* still to be read */
	struct manifest manifest;
	struct manifest_reader reader;
};

static int fail_path(struct lb_context *ctx, int error, const char *what, const char *path)
{
	CLEANUP_FREE char *shown = strdup(path);

	return fail_errno(ctx, error, "cannot %s /%.1000s of the base", what, shown ? text_printable(shown) : "");
}

/* ---- the walk ---- */

static struct manifest_entry *new_entry(struct manifest *manifest)
{
	struct manifest_entry *entries =
		array_grow(manifest->entries, manifest->count, &manifest->capacity, sizeof *entries);

	if (!entries)
		return NULL;
	manifest->entries = entries;
	manifest->entries[manifest->count] = (struct manifest_entry){ 0 };
	return &manifest->entries[manifest->count++];
}

static bool is_same_inode(int dir_fd, const char *name, const struct stat *st)
{
	struct stat other;

	return st->st_nlink > 1 && dir_fd >= 0 && fstatat(dir_fd, name, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
	       other.st_ino == st->st_ino && other.st_dev == st->st_dev;
}

/* Adds what is at @name of @dir_fd; the new entry's @path is taken. */
static int add_entry(struct scan *scan, int dir_fd, int previous_fd, const char *name, char *path)
{
	struct manifest_entry *entry = path ? new_entry(&scan->manifest) : NULL;
	struct stat st;
	int r;

	if (!entry) {
		free(path);
		return fail_memory(scan->ctx);
	}
	entry->path = path;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_path(scan->ctx, errno, "look at", path);
	r = manifest_entry_read(&scan->reader, dir_fd, name, &st, entry);
	entry->linked = entry->type == 'f' && is_same_inode(previous_fd, name, &st);
	if (r < 0)
		return fail_path(scan->ctx, r, "read", path);
	if (strlen(path) >= PATH_MAX)
		return fail_path(scan->ctx, ENAMETOOLONG, "seal", path);
	if (entry->type == 'd' && *path && text_list_add(&scan->directories, path) < 0)
		return fail_memory(scan->ctx);
	return 0;
}

static char *join(const char *directory, const char *name)
{
	return *directory ? text_format("%s/%s", directory, name) : strdup(name);
}

static int read_directory(struct scan *scan, const char *path)
{
	int fd = tree_open_beneath(scan->tree_fd, *path ? path : ".", O_RDONLY | O_DIRECTORY);
	CLEANUP_FD int previous_fd = -1;
	CLEANUP_DIR DIR *dir = NULL;
	struct dirent *entry;

	if (fd == -EXDEV)
		return fail_path(scan->ctx, EBUSY, "seal: something is mounted on", path);
	if (fd < 0)
		return fail_path(scan->ctx, fd, "open", path);
	dir = take_dir(fd);
	if (!dir)
		return fail_path(scan->ctx, errno, "read", path);
	if (scan->previous_fd >= 0)
		previous_fd = tree_open_beneath(scan->previous_fd, *path ? path : ".", O_PATH | O_DIRECTORY);
	while ((errno = 0, entry = readdir(dir))) {
		int r;

		if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
			continue;
		r = add_entry(scan, fd, previous_fd, entry->d_name, join(path, entry->d_name));
		if (r < 0)
			return r;
	}
	return errno ? fail_path(scan->ctx, errno, "read", path) : 0;
}

static int walk(struct scan *scan)
{
	int r = add_entry(scan, scan->tree_fd, -1, ".", strdup(""));

	if (r == 0)
		r = read_directory(scan, "");
	while (r == 0 && scan->directories.count > 0) {
		CLEANUP_FREE char *path = scan->directories.items[--scan->directories.count];

		r = read_directory(scan, path);
	}
	return r;
}

/* ---- checksums ---- */

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct manifest_entry *)a)->path, ((const struct manifest_entry *)b)->path);
}

/* Both are sorted; what has its checksum from there needs no reading. */
static void take_from_previous(struct manifest *manifest, const struct manifest *previous)
{
	size_t other = 0;

	for (size_t i = 0; i < manifest->count; i++) {
		struct manifest_entry *entry = &manifest->entries[i];
		const struct manifest_entry *before;

		while (other < previous->count && strcmp(previous->entries[other].path, entry->path) < 0)
			other++;
		before = other < previous->count ? &previous->entries[other] : NULL;
		if (before && entry->linked && before->type == 'f' && text_equal(before->path, entry->path))
			memcpy(entry->sha256, before->sha256, sizeof entry->sha256);
		else
			entry->linked = false;
	}
}

int manifest_scan(struct lb_context *ctx, int tree_fd, int previous_tree_fd, const struct manifest *previous,
		  struct manifest *ret_manifest)
{
	struct scan scan = { .ctx = ctx, .tree_fd = tree_fd, .previous_fd = previous_tree_fd };
	CLEANUP_FREE char *failed_path = NULL;
	int r;

	r = manifest_reader_begin(&scan.reader) == 0 ? walk(&scan) : fail_memory(ctx);
	if (r == 0) {
		qsort(scan.manifest.entries, scan.manifest.count, sizeof *scan.manifest.entries, compare_paths);
		if (previous)
			take_from_previous(&scan.manifest, previous);
		r = manifest_hash(tree_fd, &scan.manifest, &failed_path);
		if (r < 0)
			r = failed_path ? fail_path(ctx, r, "read", failed_path) : fail_memory(ctx);
	}
	manifest_reader_end(&scan.reader);
	text_list_free(&scan.directories);
	if (r < 0) {
		manifest_free(&scan.manifest);
		return r;
	}
	*ret_manifest = scan.manifest;
	return 0;
}
