/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operations.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "../../liblayerbox/util/file.h"
#include "../../liblayerbox/util/tree-copy.h"
#include "../../liblayerbox/util/tree.h"

enum { DEPTH_MAX = 5, CONTENT_MAX = 9000, OFFSET_MAX = 200000 };

static const char *const fresh_names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i j", "k\xc3\xa4" };
static const char *const attribute_names[] = { "user.one", "user.two", "trusted.mine", "security.capability",
					       "system.posix_acl_access", "system.posix_acl_default" };

/* user::rwx, user:1000:r--, group::r-x, mask::r-x, other::--- as the kernel keeps it. */
static const unsigned char acl[] = {
	2, 0, 0, 0,
	1, 0, 7, 0, 0xff, 0xff, 0xff, 0xff,
	2, 0, 4, 0, 0xe8, 3, 0, 0,
	4, 0, 5, 0, 0xff, 0xff, 0xff, 0xff,
	16, 0, 5, 0, 0xff, 0xff, 0xff, 0xff,
	32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
};

static const struct vfs_cap_data capability = {
	.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
	.data = { { .permitted = 1 << CAP_NET_RAW } },
};

/* All that is random about a change, so that it is the same for each tree. */
struct change {
	char path[CHANGE_PATH_MAX], other[CHANGE_PATH_MAX];
	uint64_t number;              /* for what is only one choice of several */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	off_t offset;
	size_t size;
	unsigned char content[CONTENT_MAX];
};

/* ---- chance ---- */

/* splitmix64 */
static uint64_t next_random(struct changes *changes)
{
	uint64_t z = changes->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t changes_random(struct changes *changes, uint64_t limit)
{
	return next_random(changes) % limit;
}

static bool add_name(char *path, const char *name)
{
	size_t length = strlen(path);

	if (length + strlen(name) + 2 > CHANGE_PATH_MAX)
		return false;
	sprintf(path + length, "%s%s", length ? "/" : "", name);
	return true;
}

/* A way down from the top of a tree that ends somewhere; "" is the top itself. */
static void choose_existing(struct changes *changes, bool directory, char *ret_path)
{
	int tree_fd = changes->plain_fd >= 0 ? changes->plain_fd : changes->view_fd;

	*ret_path = '\0';
	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		CLEANUP_FD int fd = tree_open_beneath(tree_fd, *ret_path ? ret_path : ".", O_RDONLY | O_DIRECTORY);
		CLEANUP_TEXT_LIST struct text_list names = { 0 };
		const char *name;
		struct stat st;

		if (fd < 0 || tree_list_names(fd, &names) < 0 || names.count == 0)
			return;
		name = names.items[changes_random(changes, names.count)];
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || (directory && !S_ISDIR(st.st_mode)) ||
		    !add_name(ret_path, name))
			return;
		if (!S_ISDIR(st.st_mode) || changes_random(changes, 3) == 0)
			return;
	}
}

static void choose_fresh(struct changes *changes, char *ret_path)
{
	choose_existing(changes, true, ret_path);
	add_name(ret_path, fresh_names[changes_random(changes, sizeof fresh_names / sizeof *fresh_names)]);
}

/* ---- changes, to one tree ---- */

static int done(int result)
{
	return result < 0 ? -errno : 0;
}

static int type_of(int tree_fd, const char *path, mode_t *ret_type)
{
	struct stat st;

	if (fstatat(tree_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*ret_type = st.st_mode & S_IFMT;
	return 0;
}

static int open_regular(int tree_fd, const char *path, int flags)
{
	mode_t type = 0;
	int fd, r = type_of(tree_fd, path, &type);

	if (r < 0 || type != S_IFREG)
		return r < 0 ? r : -EINVAL;
	fd = openat(tree_fd, path, flags | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int create(int tree_fd, const struct change *change)
{
	CLEANUP_FD int fd = openat(tree_fd, change->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, change->mode);

	return fd < 0 ? -errno : fd_write_all(fd, change->content, change->size);
}

static int overwrite(int tree_fd, const struct change *change)
{
	CLEANUP_FD int fd = open_regular(tree_fd, change->path, O_WRONLY | O_TRUNC);

	return fd < 0 ? fd : fd_write_all(fd, change->content, change->size);
}

static int append(int tree_fd, const struct change *change)
{
	CLEANUP_FD int fd = open_regular(tree_fd, change->path, O_WRONLY | O_APPEND);

	return fd < 0 ? fd : fd_write_all(fd, change->content, change->size);
}

/* Into the middle, or behind a hole. */
static int write_at(int tree_fd, const struct change *change)
{
	CLEANUP_FD int fd = open_regular(tree_fd, change->path, O_RDWR);

	return fd < 0 ? fd : done(pwrite(fd, change->content, change->size, change->offset) < 0 ? -1 : 0);
}

static int cut(int tree_fd, const struct change *change)
{
	CLEANUP_FD int fd = open_regular(tree_fd, change->path, O_WRONLY);

	return fd < 0 ? fd : done(ftruncate(fd, change->offset % (change->number % 2 ? OFFSET_MAX : CONTENT_MAX)));
}

static int punch(int tree_fd, const struct change *change)
{
	CLEANUP_FD int fd = open_regular(tree_fd, change->path, O_WRONLY);

	if (fd < 0)
		return fd;
	return done(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, change->offset % CONTENT_MAX, 5000));
}

static int make_directory(int tree_fd, const struct change *change)
{
	return done(mkdirat(tree_fd, change->path, change->mode | 0700));
}

static int remove_any(int tree_fd, const struct change *change)
{
	mode_t type = 0;
	int r = type_of(tree_fd, change->path, &type);

	return r < 0 ? r : done(unlinkat(tree_fd, change->path, type == S_IFDIR ? AT_REMOVEDIR : 0));
}

/* A directory that is not too much of the tree, with all that is in it. */
static int remove_tree(int tree_fd, const struct change *change)
{
	CLEANUP_FD int parent = -1;
	const char *name;

	if (!strchr(change->path, '/'))
		return remove_any(tree_fd, change);
	parent = tree_open_parent_in_root(tree_fd, change->path, &name);
	return parent < 0 ? parent : tree_remove(parent, name);
}

/* What comes in the place of a lower directory hides it. */
static int replace_directory(int tree_fd, const struct change *change)
{
	int r = remove_tree(tree_fd, change);

	return r < 0 ? r : make_directory(tree_fd, change);
}

static int exchange(int tree_fd, const struct change *change)
{
	return done(renameat2(tree_fd, change->path, tree_fd, change->other, RENAME_EXCHANGE));
}

static int move(int tree_fd, const struct change *change)
{
	unsigned flags = change->number % 3 ? 0 : RENAME_NOREPLACE;

	return done(renameat2(tree_fd, change->path, tree_fd, change->other, flags));
}

/* What programs do where a lower directory cannot be renamed. */
static int move_by_hand(int tree_fd, const char *from, const char *to)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int fd = tree_open_beneath(tree_fd, from, O_RDONLY | O_DIRECTORY);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0 || mkdirat(tree_fd, to, 0700) < 0)
		return -errno;
	r = tree_list_names(fd, &names);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		char a[2 * CHANGE_PATH_MAX], b[2 * CHANGE_PATH_MAX];
		mode_t type = 0;

		snprintf(a, sizeof a, "%s/%s", from, names.items[i]);
		snprintf(b, sizeof b, "%s/%s", to, names.items[i]);
		r = type_of(tree_fd, a, &type);
		if (r == 0)
			r = type == S_IFDIR ? move_by_hand(tree_fd, a, b) : done(renameat(tree_fd, a, tree_fd, b));
	}
	if (r == 0)
		r = tree_copy_attributes(fd, tree_fd, to, &st);
	return r < 0 ? r : done(unlinkat(tree_fd, from, AT_REMOVEDIR));
}

static int make_link(int tree_fd, const struct change *change)
{
	return done(linkat(tree_fd, change->path, tree_fd, change->other, 0));
}

static int make_symlink(int tree_fd, const struct change *change)
{
	return done(symlinkat(change->other, tree_fd, change->path));
}

static int change_mode(int tree_fd, const struct change *change)
{
	mode_t type = 0;
	int r = type_of(tree_fd, change->path, &type);

	if (r < 0 || type == S_IFLNK)
		return r < 0 ? r : -EINVAL;
	return done(fchmodat(tree_fd, change->path, change->mode, 0));
}

static int change_owner(int tree_fd, const struct change *change)
{
	return done(fchownat(tree_fd, change->path, change->uid, change->gid, AT_SYMLINK_NOFOLLOW));
}

static int change_time(int tree_fd, const struct change *change)
{
	const struct timespec time = { .tv_sec = change->offset, .tv_nsec = (long)change->size };

	return done(utimensat(tree_fd, change->path, (struct timespec[]){ time, time }, AT_SYMLINK_NOFOLLOW));
}

static void attribute_path(int tree_fd, const struct change *change, char *path, size_t size)
{
	snprintf(path, size, "/proc/self/fd/%d/%s", tree_fd, change->path);
}

static const char *attribute_name(const struct change *change)
{
	return attribute_names[change->number % (sizeof attribute_names / sizeof *attribute_names)];
}

static int set_attribute(int tree_fd, const struct change *change)
{
	const char *name = attribute_name(change);
	char path[CHANGE_PATH_MAX + 64];
	const void *value = change->content;
	size_t size = change->size % 300;

	attribute_path(tree_fd, change, path, sizeof path);
	if (text_after(name, "system."))
		value = acl, size = sizeof acl;
	else if (text_after(name, "security."))
		value = &capability, size = sizeof capability;
	return done(lsetxattr(path, name, value, size, 0));
}

static int remove_attribute(int tree_fd, const struct change *change)
{
	char path[CHANGE_PATH_MAX + 64];

	attribute_path(tree_fd, change, path, sizeof path);
	if (lremovexattr(path, attribute_name(change)) == 0 || errno == ENODATA)
		return 0; /* of an ACL that is not there, one file system says so, and another not */
	return -errno;
}

static int make_fifo(int tree_fd, const struct change *change)
{
	mode_t type = change->number % 2 ? S_IFIFO : S_IFSOCK;

	return done(mknodat(tree_fd, change->path, type | (change->mode & 0777), 0));
}

/* Of numbers for experiments: nobody has a driver for them. */
static int make_device(int tree_fd, const struct change *change)
{
	return done(mknodat(tree_fd, change->path, (change->number % 2 ? S_IFCHR : S_IFBLK) | (change->mode & 0777),
			    makedev(240 + (unsigned)(change->number % 15), (unsigned)(change->number % 7))));
}

/* ---- which there are ---- */

enum { EXISTING = 1, FRESH = 2, OTHER_FRESH = 4, OTHER_EXISTING = 8, WRITES = 16, PRIVILEGED = 32 };

static const struct kind {
	const char *word;
	int (*make)(int tree_fd, const struct change *change);
	unsigned flags;               /* WRITES: the inode is changed, or its names otherwise than by unlink(2) */
	unsigned weight;
} kinds[] = {
	{ "create", create, FRESH, 30 },
	{ "overwrite", overwrite, EXISTING | WRITES, 6 },
	{ "append to", append, EXISTING | WRITES, 6 },
	{ "write into", write_at, EXISTING | WRITES, 6 },
	{ "truncate", cut, EXISTING | WRITES, 3 },
	{ "punch", punch, EXISTING | WRITES, 2 },
	{ "mkdir", make_directory, FRESH, 22 },
	{ "remove", remove_any, EXISTING, 16 },
	{ "rm -r", remove_tree, EXISTING, 3 },
	{ "rm -r and mkdir", replace_directory, EXISTING, 4 },
	{ "rename", move, EXISTING | OTHER_FRESH | WRITES, 12 },
	{ "rename over", move, EXISTING | OTHER_EXISTING | WRITES, 5 },
	{ "exchange", exchange, EXISTING | OTHER_EXISTING | WRITES, 3 },
	{ "link", make_link, EXISTING | OTHER_FRESH | WRITES, 8 },
	{ "symlink", make_symlink, FRESH | OTHER_EXISTING, 5 },
	{ "chmod", change_mode, EXISTING | WRITES, 5 },
	{ "chown", change_owner, EXISTING | WRITES, 4 },
	{ "utimes", change_time, EXISTING | WRITES, 5 },
	{ "set an attribute of", set_attribute, EXISTING | WRITES, 6 },
	{ "remove an attribute of", remove_attribute, EXISTING | WRITES, 3 },
	{ "make a fifo or socket", make_fifo, FRESH, 3 },
	{ "make a device", make_device, FRESH | PRIVILEGED, 3 },
};

static const struct kind *choose_kind(struct changes *changes)
{
	uint64_t sum = 0, at;
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
		sum += kinds[i].weight;
	at = changes_random(changes, sum);
	for (i = 0; at >= kinds[i].weight; i++)
		at -= kinds[i].weight;
	return (kinds[i].flags & PRIVILEGED) && !changes->privileged ? &kinds[0] : &kinds[i];
}

static void choose(struct changes *changes, const struct kind *kind, struct change *change)
{
	if (kind->flags & FRESH)
		choose_fresh(changes, change->path);
	else
		choose_existing(changes, false, change->path);
	if (kind->flags & OTHER_FRESH)
		choose_fresh(changes, change->other);
	else if (kind->flags & OTHER_EXISTING)
		choose_existing(changes, false, change->other);
	change->number = next_random(changes) >> 8;
	change->mode = (mode_t)changes_random(changes, 010000);
	change->uid = (uid_t)changes_random(changes, 60000);
	change->gid = (gid_t)changes_random(changes, 60000);
	change->offset = (off_t)changes_random(changes, OFFSET_MAX);
	change->size = changes_random(changes, CONTENT_MAX);
	for (size_t i = 0; i < CONTENT_MAX; i += 8) {
		uint64_t word = next_random(changes);

		memcpy(change->content + i, &word, sizeof word);
	}
}

/* ---- both trees ---- */

/*
 * An overlay without an index breaks hard links of lower layers: the name that is written to becomes a file of its own.
 * The same is done to the plain tree, without traces in its directory's times.
 */
static int break_link(struct changes *changes, const char *path)
{
	CLEANUP_FD int parent = -1;
	char top_path[2 * CHANGE_PATH_MAX];
	struct stat st, own, directory;
	const char *name;
	int r;

	if (changes->plain_fd < 0 || fstatat(changes->plain_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	snprintf(top_path, sizeof top_path, "%s/%s", changes->top_path, path);
	if (S_ISDIR(st.st_mode) || st.st_nlink == 1)
		return 0;
	if (fstatat(changes->top_fd, top_path, &own, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	parent = tree_open_parent_in_root(changes->plain_fd, path, &name);
	if (parent < 0 || fstat(parent, &directory) < 0)
		return -errno;
	r = tree_copy_entry(parent, name, parent, ".broken-link", NULL);
	if (r == 0)
		r = done(renameat(parent, ".broken-link", parent, name));
	return r < 0 ? r : done(futimens(parent, (struct timespec[]){ directory.st_atim, directory.st_mtim }));
}

/* What a lower directory answers to a rename is not an answer that the plain tree would give. */
static int make_otherwise(int tree_fd, const struct kind *kind, const struct change *change)
{
	mode_t type = 0;

	if (kind->make != move || type_of(tree_fd, change->other, &type) == 0)
		return -EXDEV;
	return move_by_hand(tree_fd, change->path, change->other);
}

/* All files of a lower directory that is moved by hand are copied up, each for itself. */
static int break_links_below(struct changes *changes, const char *path)
{
	CLEANUP_FD int fd = tree_open_beneath(changes->plain_fd, path, O_RDONLY | O_DIRECTORY);
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int r = fd < 0 ? fd : tree_list_names(fd, &names);

	for (size_t i = 0; r == 0 && i < names.count; i++) {
		char below[2 * CHANGE_PATH_MAX];
		mode_t type = 0;

		snprintf(below, sizeof below, "%s/%s", path, names.items[i]);
		r = type_of(changes->plain_fd, below, &type);
		if (r == 0)
			r = type == S_IFDIR ? break_links_below(changes, below) : break_link(changes, below);
	}
	return r;
}

static int differ(struct changes *changes, int view, int plain)
{
	size_t length = strlen(changes->last);

	snprintf(changes->last + length, sizeof changes->last - length, ": %s, but in the plain tree %s",
		 view ? strerrordesc_np(-view) : "done", plain ? strerrordesc_np(-plain) : "done");
	return -1;
}

int changes_make(struct changes *changes)
{
	CLEANUP_FREE struct change *change = calloc(1, sizeof *change);
	const struct kind *kind = choose_kind(changes);
	bool otherwise;
	int view, plain;

	if (!change)
		return -1;
	choose(changes, kind, change);
	snprintf(changes->last, sizeof changes->last, "%s /%s, /%s", kind->word, change->path, change->other);
	if (!*change->path || (!*change->other && kind->flags & (OTHER_FRESH | OTHER_EXISTING)))
		return 0; /* the top itself, which stays */
	if (kind->flags & WRITES && (break_link(changes, change->path) < 0 ||
				     (kind->make == exchange && break_link(changes, change->other) < 0)))
		return differ(changes, 0, -EIO);
	view = kind->make(changes->view_fd, change);
	otherwise = view == -EXDEV;
	if (otherwise && changes->plain_fd >= 0 && kind->make == move && break_links_below(changes, change->path) < 0)
		return differ(changes, view, -EIO);
	if (otherwise)
		view = make_otherwise(changes->view_fd, kind, change);
	changes->succeeded += view == 0;
	if (changes->plain_fd < 0)
		return 0;
	plain = otherwise ? make_otherwise(changes->plain_fd, kind, change) : kind->make(changes->plain_fd, change);
	return view == plain ? 0 : differ(changes, view, plain);
}
