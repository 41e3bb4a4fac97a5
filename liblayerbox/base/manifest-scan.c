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
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "../util/tree.h"
#include "../util/array.h"
#include "manifest-hash.h"
#include "manifest-text.h"
#include "manifest.h"

enum { XATTR_HEX_MAX = 64, XATTR_GUESS = 1024 };

struct scan {
	struct lb_context *ctx;
	int tree_fd;
	int previous_fd;
	struct text_list directories; /* still to be read */
	struct manifest manifest;
	char *names, *value;          /* XATTR_LIST_MAX, XATTR_SIZE_MAX bytes */
};

static int fail_path(struct lb_context *ctx, int error, const char *what, const char *path)
{
	CLEANUP_FREE char *shown = strdup(path);

	return fail_errno(ctx, error, "cannot %s /%.1000s of the base", what, shown ? text_printable(shown) : "");
}

/* ---- extended attributes ---- */

/* The kernel sets aside as much memory as it is offered: so first a little, then the most. */
static ssize_t list_names(const char *path, char *names)
{
	ssize_t n = llistxattr(path, names, XATTR_GUESS);

	return n < 0 && errno == ERANGE ? llistxattr(path, names, XATTR_LIST_MAX) : n;
}

static ssize_t get_value(const char *path, const char *name, char *value)
{
	ssize_t n = lgetxattr(path, name, value, XATTR_GUESS);

	return n < 0 && errno == ERANGE ? lgetxattr(path, name, value, XATTR_SIZE_MAX) : n;
}

static void add_value(struct buffer *text, const char *value, size_t length)
{
	uint8_t digest[DIGEST_SHA256_BYTES];
	char digits[2 * XATTR_HEX_MAX + 1];

	if (length <= XATTR_HEX_MAX) {
		digest_to_text((const uint8_t *)value, length, digits);
		buffer_add_text(text, digits);
		return;
	}
	digest_sha256(value, length, digest);
	digest_to_text(digest, sizeof digest, digits);
	buffer_format(text, "(%s)", digits);
}

static int collect_names(const char *names, size_t length, struct text_list *ret_names)
{
	for (const char *name = names; name < names + length; name += strlen(name) + 1)
		if (!text_after(name, "trusted.overlay.") && text_list_add(ret_names, name) < 0)
			return -ENOMEM;
	text_list_sort(ret_names);
	return 0;
}

/* There is no llistxattrat(2) before Linux 6.13; the last component of this path is not followed either. */
static int read_xattrs(struct scan *scan, int dir_fd, const char *name, const char **ret_xattrs)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_BUFFER struct buffer text = { 0 };
	char path[64 + NAME_MAX];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir_fd, name);
	n = list_names(path, scan->names);
	if (n < 0 && errno != ENOTSUP)
		return -errno;
	if (n > 0 && collect_names(scan->names, (size_t)n, &names) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < names.count; i++) {
		n = get_value(path, names.items[i], scan->value);
		if (n < 0)
			return -errno;
		if (i)
			buffer_add_text(&text, ",");
		manifest_add_escaped(&text, names.items[i], ",=");
		buffer_add_text(&text, "=");
		add_value(&text, scan->value, (size_t)n);
	}
	if (names.count == 0)
		buffer_add_text(&text, "-");
	*ret_xattrs = buffer_finish(&text);
	return *ret_xattrs ? 0 : -ENOMEM;
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

static char type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 's';
	default:
		return 'f';
	}
}

static int read_target(int dir_fd, const char *name, const char **ret_target)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof target);

	if (n < 0)
		return -errno;
	*ret_target = strndup(target, (size_t)n);
	return *ret_target ? 0 : -ENOMEM;
}

static void set_attributes(struct manifest_entry *entry, const struct stat *st)
{
	entry->type = type_of(st->st_mode);
	entry->mode = st->st_mode & 07777;
	entry->uid = st->st_uid;
	entry->gid = st->st_gid;
	entry->inode = st->st_ino;
	if (entry->type == 'f')
		entry->size = (uint64_t)st->st_size;
	if (entry->type == 'c' || entry->type == 'b') {
		entry->major = major(st->st_rdev);
		entry->minor = minor(st->st_rdev);
	}
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
	set_attributes(entry, &st);
	entry->linked = entry->type == 'f' && is_same_inode(previous_fd, name, &st);
	r = read_xattrs(scan, dir_fd, name, &entry->xattrs);
	if (r == 0 && entry->type == 'l')
		r = read_target(dir_fd, name, &entry->target);
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

	scan.names = malloc(XATTR_LIST_MAX);
	scan.value = malloc(XATTR_SIZE_MAX);
	r = scan.names && scan.value ? walk(&scan) : fail_memory(ctx);
	if (r == 0) {
		qsort(scan.manifest.entries, scan.manifest.count, sizeof *scan.manifest.entries, compare_paths);
		if (previous)
			take_from_previous(&scan.manifest, previous);
		r = manifest_hash(tree_fd, &scan.manifest, &failed_path);
		if (r < 0)
			r = failed_path ? fail_path(ctx, r, "read", failed_path) : fail_memory(ctx);
	}
	free(scan.names);
	free(scan.value);
	text_list_free(&scan.directories);
	if (r < 0) {
		manifest_free(&scan.manifest);
		return r;
	}
	*ret_manifest = scan.manifest;
	return 0;
}
