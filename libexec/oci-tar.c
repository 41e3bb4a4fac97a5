/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci-tar.h"

#include <archive.h>
#include <fcntl.h>
#include <limits.h>

#include "oci-entry.h"
#include "oci-name.h"
#include "rebase/entry.h"
#include "util/array.h"
#include "util/tree.h"

/* A directory that is still to be read. */
struct pending {
	char *path;
	bool covered;                 /* nothing of the layer below shows in it */
};

struct walk {
	int tree_fd;
	int below_fd;                 /* the tree of the layer below, or -1 */
	struct oci_entry_writer writer;
	struct pending *pending;
	size_t count, capacity;
	struct oci_error *error;
};

/* ---- whiteouts ---- */

static int write_mark(struct walk *walk, const char *directory, const char *name)
{
	CLEANUP_FREE char *path = text_format("%s%s%s", directory, *directory ? "/" : "", name);

	return path ? oci_entry_write_mark(&walk->writer, path) : oci_fail_memory(walk->error);
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

static bool has(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int write_whiteout(struct walk *walk, const struct pending *directory, const char *name)
{
	char mark[sizeof OCI_WHITEOUT_PREFIX + NAME_MAX];

	snprintf(mark, sizeof mark, OCI_WHITEOUT_PREFIX "%s", name);
	if (strlen(mark) > NAME_MAX)
		return oci_fail(walk->error, -ENAMETOOLONG,
				"/%.400s/%.255s is deleted, but its name is too long for an image to say so",
				directory->path, name);
	return write_mark(walk, directory->path, mark);
}

/*
 * Of @below_fd, the same directory in the layer below. A whiteout that hides nothing is left out: in a directory that
 * one layer alone has, the kernel lists it as a file that is not there, and the directory cannot be deleted.
 */
static int write_whiteouts(struct walk *walk, int fd, int below_fd, const struct pending *directory,
			   const struct text_list *names)
{
	int r = 0;

	if (entry_is_opaque(fd))
		return write_mark(walk, directory->path, OCI_OPAQUE);
	for (size_t i = 0; r == 0 && i < names->count; i++) {
		struct stat st;

		if (fstatat(fd, names->items[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			return oci_fail_path(walk->error, -errno, "look below", directory->path);
		/* A socket is not in an image, and yet takes the place of what is below. */
		if ((is_whiteout(&st) || S_ISSOCK(st.st_mode)) && has(below_fd, names->items[i]))
			r = write_whiteout(walk, directory, names->items[i]);
	}
	return r;
}

/* ---- the walk ---- */

static int push(struct walk *walk, const char *path, bool covered)
{
	struct pending *pending = array_grow(walk->pending, walk->count, &walk->capacity, sizeof *pending);
	char *copy = strdup(path);

	if (pending)
		walk->pending = pending;
	if (!pending || !copy) {
		free(copy);
		return oci_fail_memory(walk->error);
	}
	walk->pending[walk->count++] = (struct pending){ .path = copy, .covered = covered };
	return 0;
}

/* A directory's own entries, in order; *ret_below gets the directories among them. */
static int write_names(struct walk *walk, int fd, const struct pending *directory, const struct text_list *names,
		       struct text_list *ret_below)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->count; i++) {
		const char *name = names->items[i];
		CLEANUP_FREE char *path =
			text_format("%s%s%s", directory->path, *directory->path ? "/" : "", name);
		struct stat st;

		if (!path)
			return oci_fail_memory(walk->error);
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return oci_fail_path(walk->error, -errno, "look at", path);
		if (is_whiteout(&st) || S_ISSOCK(st.st_mode))
			continue;
		if (strlen(path) >= PATH_MAX)
			return oci_fail_path(walk->error, -ENAMETOOLONG, "pack", path);
		if (text_after(name, OCI_WHITEOUT_PREFIX))
			return oci_fail(walk->error, -EINVAL,
					"/%.500s cannot be in an image, where its name would mean that another file is "
					"deleted; rename it",
					path);
		r = oci_entry_write(&walk->writer, fd, name, path, &st);
		if (r == 0 && S_ISDIR(st.st_mode) && text_list_add(ret_below, path) < 0)
			return oci_fail_memory(walk->error);
	}
	return r;
}

/* The same directory in the layer below: a descriptor, or -1 where nothing of it shows. */
static int open_below(struct walk *walk, const struct pending *directory)
{
	int fd = directory->covered || walk->below_fd < 0
			 ? -1
			 : tree_open_beneath(walk->below_fd, *directory->path ? directory->path : ".",
					     O_PATH | O_DIRECTORY);

	return fd < 0 ? -1 : fd;
}

static int write_directory(struct walk *walk, const struct pending *directory)
{
	CLEANUP_TEXT_LIST struct text_list below = { 0 };
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int fd =
		tree_open_beneath(walk->tree_fd, *directory->path ? directory->path : ".", O_RDONLY | O_DIRECTORY);
	CLEANUP_FD int below_fd = open_below(walk, directory);
	int r = 0;

	if (fd < 0)
		return oci_fail_path(walk->error, fd, "open", directory->path);
	r = tree_list_names(fd, &names);
	if (r < 0)
		return oci_fail_path(walk->error, r, "read", directory->path);
	if (below_fd >= 0)
		r = write_whiteouts(walk, fd, below_fd, directory, &names);
	if (r == 0)
		r = write_names(walk, fd, directory, &names, &below);
	for (size_t i = below.count; r == 0 && i-- > 0;)
		r = push(walk, below.items[i], below_fd < 0 || entry_is_opaque(fd));
	return r;
}

static int write_all(struct walk *walk)
{
	struct stat st;
	int r;

	if (fstat(walk->tree_fd, &st) < 0)
		return oci_fail_errno(walk->error, -errno, "cannot look at the tree");
	r = oci_entry_write(&walk->writer, walk->tree_fd, ".", "", &st);
	if (r == 0)
		r = push(walk, "", false);
	while (r == 0 && walk->count > 0) {
		struct pending directory = walk->pending[--walk->count];

		r = write_directory(walk, &directory);
		free(directory.path);
	}
	return r;
}

int oci_tar_write(int tree_fd, int below_fd, struct archive *out, struct oci_error *error)
{
	struct walk walk = { .tree_fd = tree_fd, .below_fd = below_fd, .error = error };
	int r = oci_entry_writer_begin(out, error, &walk.writer);

	if (r == 0)
		r = write_all(&walk);
	while (walk.count > 0)
		free(walk.pending[--walk.count].path);
	free(walk.pending);
	oci_entry_writer_end(&walk.writer);
	return r;
}

/* ---- the writer ---- */

static la_ssize_t give(struct archive *out, void *data, const void *block, size_t length)
{
	const struct oci_tar_sink *sink = data;
	int r = sink->fn(block, length, sink->userdata);

	if (r < 0)
		archive_set_error(out, -r, "%s", strerrordesc_np(-r));
	return r < 0 ? -1 : (la_ssize_t)length;
}

struct archive *oci_tar_open(struct oci_tar_sink *sink)
{
	struct archive *out = archive_write_new();

	/* BINARY: names are bytes, as they are for the kernel. SCHILY: the attributes' form that others read. */
	if (out && (archive_write_set_format_pax(out) != ARCHIVE_OK ||
		    archive_write_set_options(out, "hdrcharset=BINARY,xattrheader=SCHILY") != ARCHIVE_OK ||
		    archive_write_set_bytes_in_last_block(out, 1) != ARCHIVE_OK ||
		    archive_write_open(out, sink, NULL, give, NULL) != ARCHIVE_OK)) {
		archive_write_free(out);
		return NULL;
	}
	return out;
}
