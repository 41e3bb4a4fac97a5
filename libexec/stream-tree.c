/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "stream-attributes.h"
#include "stream-format.h"
#include "stream-source.h"
#include "util/tree-copy.h"
#include "util/tree.h"

/* A directory above the present member, or the one that came last. */
struct level {
	int fd;
	char name[NAME_MAX + 1]; /* in the one above */
	char last[NAME_MAX + 1]; /* the name below it that came last */
	struct archive_entry *entry; /* what it gets when all below it has come; NULL: only its times back, */
	struct timespec times[2]; /* since it is no member, but was there before */
	bool whiteouts; /* some came */
	bool inherited; /* what is made below it has to be rid of access control lists */
};

struct stream_tree {
	struct stream_tree_options options;
	struct stream_source *source;
	struct stream_error *error;
	char *prefix;
	struct level *levels[STREAM_DEPTH_MAX + 1];
	size_t depth; /* of them; 0: the tree itself has not come */
	bool begun; /* something below it has */
};

static int refuse(struct stream_tree *tree, const char *why)
{
	return stream_source_refuse(tree->source, why);
}

static int tree_fail(struct stream_tree *tree, struct archive_entry *entry, int number)
{
	return stream_fail_member(tree->error, number, archive_entry_pathname(entry));
}

static struct level *top_level(struct stream_tree *tree)
{
	return tree->levels[tree->depth - 1];
}

/* ---- levels ---- */

static void free_level(struct level *level)
{
	close_fd(level->fd);
	archive_entry_free(level->entry);
	free(level);
}

static int leave_level(struct stream_tree *tree)
{
	struct level *level = top_level(tree);
	int r = level->whiteouts && tree->depth > 1 ? tree_mark_whiteouts(level->fd) : 0;

	if (r == 0 && level->entry)
		r = stream_attributes_set(level->fd, ".", level->fd, level->entry);
	else if (r == 0)
		r = futimens(level->fd, level->times) < 0 ? -errno : 0;
	if (r < 0)
		return stream_fail_member(tree->error, -r,
					  level->entry ? archive_entry_pathname(level->entry) : level->name);
	tree->depth--;
	free_level(level);
	return 0;
}

static int leave_levels(struct stream_tree *tree, size_t depth)
{
	int r = 0;

	while (r == 0 && tree->depth > depth)
		r = leave_level(tree);
	return r;
}

/* Takes @fd in any case. @entry NULL: it is no member. */
static int enter_level(struct stream_tree *tree, int fd, struct slice name, struct archive_entry *entry)
{
	struct level *level = calloc(1, sizeof *level);
	struct stat st;

	if (level)
		level->fd = fd;
	else
		close_fd(fd);
	if (level && entry)
		level->entry = archive_entry_clone(entry);
	if (!level || (entry && !level->entry) || fstat(fd, &st) < 0) {
		if (level)
			free_level(level);
		return stream_fail(tree->error, STREAM_FAILED, "out of memory");
	}
	memcpy(level->name, name.data, name.length);
	level->times[0] = st.st_atim;
	level->times[1] = st.st_mtim;
	level->inherited = tree->options.over && stream_attributes_are_inherited(fd);
	tree->levels[tree->depth++] = level;
	return 0;
}

/* Names come in order: so each comes once. */
static int next_name(struct stream_tree *tree, struct slice name)
{
	struct level *level = top_level(tree);

	if (slice_compare(name, slice_of(level->last)) <= 0)
		return refuse(tree, "comes twice, or not in order");
	memcpy(level->last, name.data, name.length);
	level->last[name.length] = '\0';
	return 0;
}

/* Into a directory that was there before, and did not change itself. */
static int enter_existing(struct stream_tree *tree, struct archive_entry *entry, struct slice name)
{
	char path[NAME_MAX + 1] = "";
	int fd, r;

	if (!tree->options.over)
		return refuse(tree, "comes before the directory it is in");
	r = next_name(tree, name);
	if (r < 0)
		return r;
	memcpy(path, name.data, name.length);
	fd = tree_open_beneath(top_level(tree)->fd, path, O_RDONLY | O_DIRECTORY);
	return fd < 0 ? tree_fail(tree, entry, -fd) : enter_level(tree, fd, name, NULL);
}

/* The levels down to the directory that @path is in, which begins at the tree; *ret_name is what is left of it. */
static int go_to_parent(struct stream_tree *tree, struct archive_entry *entry, const char *path, struct slice *ret_name)
{
	struct slice rest = slice_of(path), part;
	size_t depth = 1;
	int r = 0;

	while (r == 0 && slice_cut(&rest, '/', &part) && rest.length) {
		if (depth < tree->depth && slice_is(part, tree->levels[depth]->name)) {
			depth++;
			continue;
		}
		r = leave_levels(tree, depth);
		if (r == 0 && depth == STREAM_DEPTH_MAX)
			r = refuse(tree, "lies too deep");
		if (r == 0)
			r = enter_existing(tree, entry, part);
		depth++;
	}
	if (r == 0)
		r = leave_levels(tree, depth);
	if (r == 0)
		r = next_name(tree, part);
	*ret_name = part;
	return r;
}

/* ---- entries ---- */

/* What is in the place of an entry of a difference, unless both are directories. Nothing is ever written into. */
static int make_room(struct stream_tree *tree, struct archive_entry *entry, const char *name)
{
	if (!tree->options.over || unlinkat(top_level(tree)->fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR)
		return refuse(tree, "comes in the place of a directory");
	return tree_fail(tree, entry, errno);
}

static int write_at(int fd, const char *data, size_t length, uint64_t offset)
{
	while (length > 0) {
		ssize_t n = pwrite(fd, data, length, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		length -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* Holes are what is not written. */
static int put_content(struct stream_tree *tree, struct archive_entry *entry, int fd)
{
	uint64_t offset, end = 0;
	const void *data;
	size_t length;
	int r;

	while ((r = stream_source_read(tree->source, &data, &length, &offset)) == 0 && length > 0) {
		r = write_at(fd, data, length, offset);
		if (r < 0)
			return tree_fail(tree, entry, -r);
		end = offset + length;
	}
	if (r == 0 && end < (uint64_t)archive_entry_size(entry) && ftruncate(fd, archive_entry_size(entry)) < 0)
		return tree_fail(tree, entry, errno);
	return r;
}

static int put_file(struct stream_tree *tree, struct archive_entry *entry, const char *name)
{
	const struct level *level = top_level(tree);
	CLEANUP_FD int fd = openat(level->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return tree_fail(tree, entry, errno);
	if (level->inherited) {
		r = stream_attributes_disinherit(level->fd, name);
		if (r < 0)
			return tree_fail(tree, entry, -r);
	}
	if (archive_entry_size(entry) > 0) {
		r = put_content(tree, entry, fd);
		if (r < 0)
			return r;
	}
	r = stream_attributes_set(level->fd, name, fd, entry);
	return r < 0 ? tree_fail(tree, entry, -r) : 0;
}

/* Opens the new directory, or in a difference the one that is there. */
static int make_directory(struct stream_tree *tree, const char *name)
{
	const struct level *level = top_level(tree);
	int fd, r;

	if (mkdirat(level->fd, name, 0700) == 0) {
		r = level->inherited ? stream_attributes_disinherit(level->fd, name) : 0;
		return r < 0 ? r : tree_open_beneath(level->fd, name, O_RDONLY | O_DIRECTORY);
	}
	if (errno != EEXIST || !tree->options.over)
		return -errno;
	fd = tree_open_beneath(level->fd, name, O_RDONLY | O_DIRECTORY);
	if (fd == -ENOTDIR || fd == -ELOOP) {
		if (unlinkat(level->fd, name, 0) < 0 || mkdirat(level->fd, name, 0700) < 0)
			return -errno;
		r = level->inherited ? stream_attributes_disinherit(level->fd, name) : 0;
		return r < 0 ? r : tree_open_beneath(level->fd, name, O_RDONLY | O_DIRECTORY);
	}
	r = fd < 0 ? fd : stream_attributes_clear(fd);
	if (r < 0)
		close_fd(fd);
	return r < 0 ? r : fd;
}

static int put_directory(struct stream_tree *tree, struct archive_entry *entry, const char *name)
{
	int fd;

	if (tree->depth == STREAM_DEPTH_MAX)
		return refuse(tree, "lies too deep");
	fd = make_directory(tree, name);
	return fd < 0 ? tree_fail(tree, entry, -fd) : enter_level(tree, fd, slice_of(name), entry);
}

static int put_symlink(struct stream_tree *tree, struct archive_entry *entry, const char *name)
{
	const struct level *level = top_level(tree);
	const char *target = archive_entry_symlink(entry);
	int r;

	if (text_empty(target))
		return refuse(tree, "is a symbolic link to nothing");
	if (symlinkat(target, level->fd, name) < 0)
		return tree_fail(tree, entry, errno);
	r = stream_attributes_set(level->fd, name, -1, entry);
	return r < 0 ? tree_fail(tree, entry, -r) : 0;
}

static int put_node(struct stream_tree *tree, struct archive_entry *entry, const char *name, mode_t type, dev_t device)
{
	struct level *level = top_level(tree);
	int r;

	level->whiteouts = level->whiteouts || (type == S_IFCHR && device == makedev(0, 0));
	if (mknodat(level->fd, name, type | 0600, device) < 0)
		return tree_fail(tree, entry, errno);
	r = level->inherited ? stream_attributes_disinherit(level->fd, name) : 0;
	if (r == 0)
		r = stream_attributes_set(level->fd, name, -1, entry);
	return r < 0 ? tree_fail(tree, entry, -r) : 0;
}

static int put_device(struct stream_tree *tree, struct archive_entry *entry, const char *name)
{
	mode_t type = archive_entry_filetype(entry);
	la_int64_t number = archive_entry_rdevmajor(entry), below = archive_entry_rdevminor(entry);
	bool whiteout = type == AE_IFCHR && number == 0 && below == 0;

	if (!whiteout && !tree->options.privileged)
		return refuse(tree, "is a device, which only a privileged container can have");
	return put_node(tree, entry, name, type == AE_IFCHR ? S_IFCHR : S_IFBLK,
			makedev((unsigned)number, (unsigned)below));
}

static bool has_mark(struct archive_entry *entry, const char *mark)
{
	const void *value;
	const char *name;
	size_t size;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
		if (text_equal(name, mark))
			return true;
	return false;
}

/* ---- hard links ---- */

/* Down from @fd, which is taken, by as many components as openat2(2) takes at once; *path goes on behind them. */
static int open_part(int fd, struct slice *path)
{
	CLEANUP_FD int above = fd;
	struct slice part = *path;
	char text[PATH_MAX];

	if (part.length >= sizeof text)
		for (part.length = sizeof text - 1; part.length && part.data[part.length] != '/';)
			part.length--;
	memcpy(text, part.data, part.length);
	text[part.length] = '\0';
	*path = slice_tail(*path, part.length < path->length ? part.length + 1 : part.length);
	return tree_open_beneath(above, text, O_RDONLY | O_DIRECTORY);
}

/* Opens the directory that @path below the tree is in; *ret_name is its last component. */
static int open_parent(struct stream_tree *tree, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	struct slice rest = { .data = path, .length = slash ? (size_t)(slash - path) : 0 };
	int fd = openat(tree->levels[0]->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret_name = slash ? slash + 1 : path;
	while (fd >= 0 && rest.length)
		fd = open_part(fd, &rest);
	return fd;
}

static int put_link(struct stream_tree *tree, struct archive_entry *entry, const char *name)
{
	const char *path = text_after(archive_entry_hardlink(entry), tree->prefix), *target;
	CLEANUP_FD int fd = -1;
	struct stat st;

	if (!path || !stream_path_is_safe(path) || path[strlen(path) - 1] == '/' ||
	    !text_after(path, tree->options.link_prefix))
		return refuse(tree, "is a hard link to a file outside");
	fd = open_parent(tree, path, &target);
	if (fd < 0 || fstatat(fd, target, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode))
		return refuse(tree, "is a hard link to a file that is not there");
	return linkat(fd, target, top_level(tree)->fd, name, 0) < 0 ? tree_fail(tree, entry, errno) : 0;
}

/* ---- what went ---- */

static int remove_gone(struct stream_tree *tree, struct archive_entry *entry, const char *path)
{
	struct timespec times[2];
	CLEANUP_FD int fd = -1;
	const char *name;
	struct stat st;
	int r;

	if (!stream_path_is_safe(path) || path[strlen(path) - 1] == '/')
		return refuse(tree, "has a name that leads out");
	fd = open_parent(tree, path, &name);
	if (fd < 0 || fstat(fd, &st) < 0 || faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return refuse(tree, "has a name that is not there: this is a difference to another layer");
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	r = tree_remove(fd, name);
	if (r == 0 && futimens(fd, times) < 0)
		r = -errno;
	return r < 0 ? tree_fail(tree, entry, -r) : 0;
}

/* Names with a NUL behind each. */
static int put_gone(struct stream_tree *tree, struct archive_entry *entry, const char *path)
{
	CLEANUP_FREE char *names = NULL;
	size_t length;
	int r;

	if (!tree->options.over || tree->begun || !text_equal(path, STREAM_GONE) ||
	    archive_entry_filetype(entry) != AE_IFREG)
		return refuse(tree, "is a list of what went, where there can be none");
	r = stream_source_read_all(tree->source, STREAM_GONE_MAX, &names, &length);
	if (r < 0)
		return r;
	if (!length || names[length - 1])
		return refuse(tree, "does not end behind a name");
	for (const char *name = names; r == 0 && name < names + length; name += strlen(name) + 1)
		r = remove_gone(tree, entry, name);
	return r;
}

/* ---- members ---- */

static int put_by_type(struct stream_tree *tree, struct archive_entry *entry, const char *name)
{
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return put_file(tree, entry, name);
	case AE_IFLNK:
		return put_symlink(tree, entry, name);
	case AE_IFCHR:
	case AE_IFBLK:
		return put_device(tree, entry, name);
	case AE_IFIFO:
		return put_node(tree, entry, name, has_mark(entry, STREAM_MARK_SOCKET) ? S_IFSOCK : S_IFIFO, 0);
	default:
		return refuse(tree, "is of a type that a stream must not carry");
	}
}

static int put_entry(struct stream_tree *tree, struct archive_entry *entry, const char *path)
{
	bool is_link = archive_entry_hardlink(entry) != NULL;
	char name[NAME_MAX + 1] = "";
	struct slice part;
	int r = go_to_parent(tree, entry, path, &part);

	if (r < 0)
		return r;
	tree->begun = true;
	memcpy(name, part.data, part.length);
	if (!is_link && archive_entry_filetype(entry) == AE_IFDIR)
		return put_directory(tree, entry, name);
	if (path[strlen(path) - 1] == '/')
		return refuse(tree, "is no directory, but has the name of one");
	r = make_room(tree, entry, name);
	if (r < 0)
		return r;
	return is_link ? put_link(tree, entry, name) : put_by_type(tree, entry, name);
}

/* Whatever it has inherited from where it was made is not passed on. */
static int enter_root(struct stream_tree *tree, struct archive_entry *entry, struct archive_entry *root)
{
	int fd = openat(tree->options.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : stream_attributes_clear(fd);

	if (r < 0) {
		close_fd(fd);
		return tree_fail(tree, entry, -r);
	}
	return enter_level(tree, fd, slice_of(""), root);
}

static int put_root(struct stream_tree *tree, struct archive_entry *entry)
{
	if (tree->depth)
		return refuse(tree, "comes twice, or not in order");
	if (archive_entry_filetype(entry) != AE_IFDIR || archive_entry_hardlink(entry))
		return refuse(tree, "must be a directory");
	return enter_root(tree, entry, entry);
}

/* A tree that does not come itself, but is made by the reader. */
static int imply_root(struct stream_tree *tree, struct archive_entry *entry)
{
	if (!tree->options.rootless)
		return refuse(tree, "comes before the directory it is in");
	return enter_root(tree, entry, NULL);
}

int stream_tree_put(struct stream_tree *tree, struct archive_entry *entry)
{
	const char *path = text_after(archive_entry_pathname(entry), tree->prefix);
	const char *wrong = stream_attributes_check(entry, tree->options.privileged);
	int r = 0;

	if (wrong)
		return refuse(tree, wrong);
	if (!path)
		return refuse(tree, "is not of this tree");
	if (!*path)
		return put_root(tree, entry);
	if (!stream_path_is_safe(path))
		return refuse(tree, "has a name that leads out, or that no file can have");
	if (!tree->depth)
		r = imply_root(tree, entry);
	if (r < 0)
		return r;
	return has_mark(entry, STREAM_MARK_GONE) ? put_gone(tree, entry, path) : put_entry(tree, entry, path);
}

int stream_tree_finish(struct stream_tree *tree)
{
	return leave_levels(tree, 0);
}

int stream_tree_begin(const struct stream_tree_options *options, struct stream_source *source,
		      struct stream_error *error, struct stream_tree **ret_tree)
{
	struct stream_tree *tree = calloc(1, sizeof *tree);

	if (tree) {
		tree->options = *options;
		tree->source = source;
		tree->error = error;
		tree->prefix = strdup(options->prefix);
	}
	if (!tree || !tree->prefix) {
		close_fd(options->fd);
		free(tree);
		return stream_fail(error, STREAM_FAILED, "out of memory");
	}
	*ret_tree = tree;
	return 0;
}

void stream_tree_free(struct stream_tree **tree)
{
	if (!*tree)
		return;
	while ((*tree)->depth > 0)
		free_level((*tree)->levels[--(*tree)->depth]);
	close_fd((*tree)->options.fd);
	free((*tree)->prefix);
	free(*tree);
	*tree = NULL;
}

const char *stream_tree_get_prefix(const struct stream_tree *tree)
{
	return tree->prefix;
}
