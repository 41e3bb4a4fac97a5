/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci-apply.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <search.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "oci-attributes.h"
#include "oci-name.h"
#include "util/tree.h"

/* A directory that both this layer and one below it have. */
struct shared_directory {
	char *path;
	struct timespec times[2];
};

struct apply {
	const struct oci_layer *layer;
	struct archive *tar;
	struct archive *disk;
	uint32_t id_max;
	int tree_fd;
	uint64_t left;                /* how many entries there may be yet in this pass */
	void *shared;                 /* struct shared_directory, by tsearch(3): one for each path, however often it comes */
	struct oci_error *error;
};

/* One pass over the entries. */
typedef int (*entry_fn)(struct apply *apply, struct archive_entry *entry, const struct oci_name *name);

static int refuse(struct apply *apply, const char *name, const char *why)
{
	return oci_fail(apply->error, OCI_BAD_IMAGE, "%.400s in the layer %s %s", name, apply->layer->blob.digest, why);
}

/* ---- the first pass: what goes ---- */

/* A link at the end of a path is not followed, and is no directory; one before it stops the kernel with ELOOP. */
static bool is_link(struct apply *apply, const char *path)
{
	CLEANUP_FD int fd = tree_open_beneath(apply->tree_fd, path, O_PATH);
	struct stat st;

	return fd >= 0 ? fstat(fd, &st) == 0 && S_ISLNK(st.st_mode) : fd == -ELOOP;
}

/*
 * The directory that a whiteout is in, as the layers below have it: a descriptor, or -ENOENT where there is nothing to
 * hide. A link in its place is none to go through: an opaque mark comes with a directory that replaces the link.
 */
static int open_hidden(struct apply *apply, const struct oci_name *name)
{
	const char *path = *name->directory ? name->directory : ".";
	int fd = tree_open_beneath(apply->tree_fd, path, O_RDONLY | O_DIRECTORY);

	if (fd != -ENOTDIR && fd != -ELOOP)
		return fd < 0 && fd != -ENOENT ? oci_fail_errno(apply->error, fd, "cannot open %.400s", path) : fd;
	if (name->kind == OCI_NAME_WHITEOUT && is_link(apply, path))
		return refuse(apply, name->path, "would delete a file behind a symbolic link");
	return -ENOENT;
}

static int hide(struct apply *apply, struct archive_entry *entry, const struct oci_name *name)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int fd = -1;
	int r = 0;

	(void)entry;
	if (name->kind == OCI_NAME_ENTRY)
		return 0;
	fd = open_hidden(apply, name);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (name->kind == OCI_NAME_OPAQUE)
		r = tree_list_names(fd, &names);
	else if (text_list_add(&names, name->rest) < 0)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = tree_remove(fd, names.items[i]);
	return r < 0 ? oci_fail_errno(apply->error, r, "cannot remove what %.400s hides", name->path) : 0;
}

/* ---- the second pass: what comes ---- */

static bool is_wanted(struct archive_entry *entry)
{
	mode_t type = archive_entry_filetype(entry);

	return archive_entry_hardlink(entry) || type == AE_IFREG || type == AE_IFDIR || type == AE_IFLNK ||
	       type == AE_IFIFO;
}

static int check_link(struct apply *apply, struct archive_entry *entry, const char *path)
{
	struct oci_name target;
	const char *link = archive_entry_hardlink(entry), *why = link ? oci_name_read(link, &target) : NULL;
	int r = 0;

	if (!link)
		return 0;
	if (why)
		r = refuse(apply, path, "is a hard link to a file outside");
	else if (target.kind != OCI_NAME_ENTRY)
		r = refuse(apply, path, "is a hard link to a whiteout");
	else
		archive_entry_copy_hardlink(entry, target.path);
	oci_name_free(&target);
	return r;
}

static int compare_shared(const void *a, const void *b)
{
	const struct shared_directory *first = a, *second = b;

	return strcmp(first->path, second->path);
}

static void free_shared(void *item)
{
	struct shared_directory *shared = item;

	free(shared->path);
	free(shared);
}

/* The one of @path, made where there is none; NULL without memory. */
static struct shared_directory *get_shared(struct apply *apply, const char *path)
{
	struct shared_directory *made = calloc(1, sizeof *made), **found = NULL;

	if (made)
		made->path = strdup(path);
	if (made && made->path)
		found = tsearch(made, &apply->shared, compare_shared);
	if (made && (!found || *found != made))
		free_shared(made);
	return found ? *found : NULL;
}

/* libarchive gives a directory its times at the end only where it has made it. */
static int note_times(struct apply *apply, struct archive_entry *entry, const char *path)
{
	const struct timespec time = { .tv_sec = archive_entry_mtime(entry),
				       .tv_nsec = archive_entry_mtime_nsec(entry) };
	struct shared_directory *shared = get_shared(apply, *path ? path : ".");

	if (!shared)
		return oci_fail_memory(apply->error);
	shared->times[0] = shared->times[1] = time;
	return 0;
}

struct giving {
	struct apply *apply;
	int result;
};

static void give_time(const void *node, VISIT visit, void *userdata)
{
	const struct shared_directory *shared = *(struct shared_directory *const *)node;
	struct giving *giving = userdata;
	CLEANUP_FD int fd = -1;

	if (giving->result < 0 || (visit != postorder && visit != leaf))
		return;
	fd = tree_open_beneath(giving->apply->tree_fd, shared->path, O_RDONLY | O_DIRECTORY);
	/* What stands there now may be something else, which the same layer has brought. */
	if (fd >= 0 && futimens(fd, shared->times) < 0)
		giving->result = oci_fail_errno(giving->apply->error, -errno, "cannot set the time of %.400s",
						shared->path);
}

static int give_times(struct apply *apply)
{
	struct giving giving = { .apply = apply };

	twalk_r(apply->shared, give_time, &giving);
	return giving.result;
}

/* Both are directories: the new one's attributes take the place of the old one's. */
static int share(struct apply *apply, struct archive_entry *entry, int dir_fd, const char *name, const char *path)
{
	int r = oci_attributes_clear(dir_fd, name);

	return r < 0 ? oci_fail_errno(apply->error, r, "cannot replace %.400s", path) : note_times(apply, entry, path);
}

/*
 * What the layers below have at this place goes, unless both are directories. What lies in the way to it is not
 * touched: libarchive refuses links there.
 */
static int make_room(struct apply *apply, struct archive_entry *entry, const char *path)
{
	const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
	CLEANUP_FREE char *directory = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	CLEANUP_FD int fd = -1;
	struct stat st;
	int r;

	if (!directory)
		return oci_fail_memory(apply->error);
	if (!*path)
		return share(apply, entry, apply->tree_fd, ".", path);
	fd = tree_open_beneath(apply->tree_fd, directory, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || fstatat(fd, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISDIR(st.st_mode) && archive_entry_filetype(entry) == AE_IFDIR && !archive_entry_hardlink(entry))
		return share(apply, entry, fd, last, path);
	r = tree_remove(fd, last);
	return r < 0 ? oci_fail_errno(apply->error, r, "cannot replace %.400s", path) : 0;
}

static int check_entry(struct apply *apply, struct archive_entry *entry, const char *path)
{
	if (!*path && archive_entry_filetype(entry) != AE_IFDIR)
		return refuse(apply, "the root", "is no directory");
	if (!archive_entry_hardlink(entry) &&
	    (archive_entry_uid(entry) < 0 || archive_entry_uid(entry) > apply->id_max ||
	     archive_entry_gid(entry) < 0 || archive_entry_gid(entry) > apply->id_max))
		return refuse(apply, path, "belongs to a user or group above 65535");
	return check_link(apply, entry, path);
}

static int copy_content(struct apply *apply, const char *path)
{
	la_int64_t offset;
	const void *data;
	size_t length;
	int r;

	while ((r = archive_read_data_block(apply->tar, &data, &length, &offset)) == ARCHIVE_OK)
		if (archive_write_data_block(apply->disk, data, length, offset) != ARCHIVE_OK)
			return oci_fail_archive(apply->error, apply->disk, "cannot write", path);
	if (r == ARCHIVE_EOF)
		return 0;
	oci_fail_archive(apply->error, apply->tar, "cannot read", path);
	return OCI_BAD_IMAGE;
}

/* Of what libarchive refuses, nothing is the host's fault but a lack of space. */
static int fail_unpack(struct apply *apply, const char *path)
{
	int r = oci_fail_archive(apply->error, apply->disk, "cannot unpack", path);

	return r == -ENOSPC ? r : OCI_BAD_IMAGE;
}

static int put(struct apply *apply, struct archive_entry *entry, const struct oci_name *name)
{
	const char *path = *name->path ? name->path : ".";
	int r;

	if (name->kind != OCI_NAME_ENTRY || !is_wanted(entry))
		return 0;
	r = check_entry(apply, entry, name->path);
	if (r == 0)
		r = make_room(apply, entry, name->path);
	if (r < 0)
		return r;
	if (!oci_attributes_keep_known(entry))
		return refuse(apply, path, "has an access control list that cannot be read");
	archive_entry_copy_pathname(entry, path);
	archive_entry_set_uname(entry, NULL);
	archive_entry_set_gname(entry, NULL);
	if (archive_write_header(apply->disk, entry) != ARCHIVE_OK)
		return fail_unpack(apply, path);
	if (archive_entry_size(entry) > 0 || !archive_entry_size_is_set(entry))
		r = copy_content(apply, path);
	if (r == 0 && archive_write_finish_entry(apply->disk) != ARCHIVE_OK)
		return fail_unpack(apply, path);
	return r;
}

/* ---- both ---- */

static int read_entry(struct apply *apply, struct archive_entry *entry, entry_fn fn)
{
	const char *name = archive_entry_pathname(entry), *why;
	struct oci_name parsed;
	int r;

	if (text_empty(name))
		return refuse(apply, "an entry", "has no name");
	why = oci_name_read(name, &parsed);
	r = why ? refuse(apply, name, why) : fn(apply, entry, &parsed);
	oci_name_free(&parsed);
	return r;
}

static int read_entries(struct apply *apply, entry_fn fn)
{
	struct archive_entry *entry;
	int r;

	while ((r = archive_read_next_header(apply->tar, &entry)) != ARCHIVE_EOF) {
		/* A warning is a name or an attribute that could not be understood: better refused than altered. */
		if (r != ARCHIVE_OK) {
			oci_fail_archive(apply->error, apply->tar, "cannot read",
					 r == ARCHIVE_WARN ? archive_entry_pathname(entry) : apply->layer->blob.digest);
			return OCI_BAD_IMAGE;
		}
		if (apply->left-- == 0)
			return oci_fail(apply->error, OCI_BAD_IMAGE, "the image has more than %d files", OCI_ENTRIES_MAX);
		r = read_entry(apply, entry, fn);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Both passes check the digests: the file may have been changed in between. */
static int pass(struct apply *apply, const struct oci_layout *layout, enum oci_compression compression,
		uint64_t entries_left, entry_fn fn)
{
	CLEANUP_OCI_LAYER_READER struct oci_layer_reader reader = OCI_LAYER_READER_EMPTY;
	int r = oci_layer_reader_begin(layout, apply->layer, compression, &reader);

	if (r < 0)
		return r;
	apply->tar = reader.tar;
	apply->left = entries_left;
	r = read_entries(apply, fn);
	return r < 0 ? r : oci_layer_reader_finish(&reader);
}

static struct archive *open_disk(void)
{
	const int flags = ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_ACL |
			  ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
			  ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS;
	struct archive *disk = archive_write_disk_new();

	if (disk)
		archive_write_disk_set_options(disk, flags);
	return disk;
}

int oci_layer_apply(const struct oci_layout *layout, const struct oci_layer *layer, enum oci_compression compression,
		    uint32_t id_max, int tree_fd, uint64_t *entries_left)
{
	struct apply apply = { .layer = layer, .id_max = id_max, .tree_fd = tree_fd, .error = layout->error };
	int r;

	if (fchdir(tree_fd) < 0)
		return oci_fail_errno(layout->error, -errno, "cannot enter the directory to unpack into");
	r = pass(&apply, layout, compression, *entries_left, hide);
	if (r < 0)
		return r;
	apply.disk = open_disk();
	if (!apply.disk)
		return oci_fail_memory(layout->error);
	r = pass(&apply, layout, compression, *entries_left, put);
	if (r == 0 && archive_write_close(apply.disk) != ARCHIVE_OK) /* modes and times of directories come last */
		r = oci_fail_archive(layout->error, apply.disk, "cannot finish", "the directories");
	archive_write_free(apply.disk);
	if (r == 0)
		r = give_times(&apply);
	tdestroy(apply.shared, free_shared);
	*entries_left = apply.left;
	return r;
}
