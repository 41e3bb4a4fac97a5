/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tree.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "array.h"
#include "file.h"
#include "text.h"

enum { DEPTH_MAX = 64, RACES_MAX = 1000, WALK_OPEN_MAX = 32, WALK_NAMES_MAX = 50000000, WALK_LINKS_MAX = 4 << 20 };

static int open_directory(int dir_fd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};
	int fd = (int)syscall(SYS_openat2, dir_fd, name, &how, sizeof how);

	if (fd < 0)
		return errno == EXDEV ? -EBUSY : -errno;
	return fd;
}

/*
 * A stack of open directories. A tree that is deeper than the stack is cut: the directory at the limit is
 * moved up into the tree's own root under a fresh name, where it comes up again as an ordinary child.
 */
struct remover {
	const char *root;
	DIR *stack[DEPTH_MAX];
	char names[DEPTH_MAX][NAME_MAX + 1];
	int depth;
	unsigned long moved;
};

static int push_directory(struct remover *remover, int dir_fd, const char *name)
{
	int fd = open_directory(dir_fd, name);
	DIR *dir = take_dir(fd);

	if (!dir)
		return fd < 0 ? fd : -errno;
	remover->stack[remover->depth] = dir;
	if (remover->depth > 0)
		text_copy(remover->names[remover->depth], sizeof remover->names[0], name);
	remover->depth++;
	return 0;
}

static int move_up(struct remover *remover, int dir_fd, const char *name)
{
	int top_fd = dirfd(remover->stack[0]);
	char fresh[64];

	do {
		snprintf(fresh, sizeof fresh, ".deep.%lu", remover->moved++);
		if (syscall(SYS_renameat2, dir_fd, name, top_fd, fresh, 1 /* RENAME_NOREPLACE */) == 0)
			return 0;
	} while (errno == EEXIST);
	return -errno;
}

static int remove_entry(struct remover *remover, struct dirent *entry)
{
	int dir_fd = dirfd(remover->stack[remover->depth - 1]);

	if (entry->d_type != DT_DIR && unlinkat(dir_fd, entry->d_name, 0) == 0)
		return 0;
	if (entry->d_type != DT_DIR && errno != EISDIR && errno != EPERM)
		return errno == ENOENT ? 0 : -errno;
	if (unlinkat(dir_fd, entry->d_name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return errno == ENOENT ? 0 : -errno;
	if (remover->depth == DEPTH_MAX)
		return move_up(remover, dir_fd, entry->d_name);
	return push_directory(remover, dir_fd, entry->d_name);
}

/* Empties the topmost directory entry by entry; when it is empty, removes it from its parent. */
static int remove_step(struct remover *remover, int base_fd)
{
	struct dirent *entry;
	int top = remover->depth - 1;

	errno = 0;
	entry = readdir(remover->stack[top]);
	if (entry && (text_equal(entry->d_name, ".") || text_equal(entry->d_name, "..")))
		return 0;
	if (entry)
		return remove_entry(remover, entry);
	if (errno)
		return -errno;
	if (unlinkat(top ? dirfd(remover->stack[top - 1]) : base_fd, top ? remover->names[top] : remover->root,
		     AT_REMOVEDIR) < 0) {
		if (errno != ENOTEMPTY && errno != EEXIST)
			return -errno;
		rewinddir(remover->stack[top]); /* what was moved up, or made meanwhile */
		return 0;
	}
	closedir(remover->stack[top]);
	remover->depth--;
	return 0;
}

int tree_remove(int dir_fd, const char *name)
{
	struct remover *remover;
	int r;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	remover = calloc(1, sizeof *remover);
	if (!remover)
		return -ENOMEM;
	remover->root = name;
	r = push_directory(remover, dir_fd, name);
	while (r == 0 && remover->depth > 0)
		r = remove_step(remover, dir_fd);
	while (remover->depth > 0)
		closedir(remover->stack[--remover->depth]);
	free(remover);
	return r;
}

/* A name of a file that has several. */
struct link_name {
	uint64_t inode, bytes;
	uint64_t count;
};

struct link_names {
	struct link_name *items;
	size_t count, capacity;
};

static int add_link_name(struct link_names *links, const struct stat *st)
{
	struct link_name *items = array_grow(links->items, links->count, &links->capacity, sizeof *items);

	if (!items)
		return -ENOMEM;
	links->items = items;
	links->items[links->count++] = (struct link_name){ st->st_ino, (uint64_t)st->st_blocks * 512, st->st_nlink };
	return 0;
}

/*
 * A walk is a stack of directories, as deep as the tree is. Only the topmost are open: one further down is found again
 * by "..", which is believed only where it leads to the same directory.
 */
struct place {
	DIR *dir;                     /* NULL: @position says how far it was read */
	long position;
	dev_t device;
	ino_t inode;
};

struct walk {
	struct place *places;
	size_t depth, capacity;
	uint64_t names;               /* seen */
	uint64_t bytes;               /* without files that have several names: those are in @links */
	struct link_names links;
};

static void rest(struct place *place)
{
	place->position = telldir(place->dir);
	closedir(place->dir);
	place->dir = NULL;
}

static int resume(struct place *place, int child_fd)
{
	int fd = open_directory(child_fd, "..");
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || st.st_dev != place->device || st.st_ino != place->inode) {
		close(fd);
		return -ESTALE; /* somebody moves it about */
	}
	place->dir = take_dir(fd);
	if (!place->dir)
		return -errno;
	seekdir(place->dir, place->position);
	return 0;
}

static int enter(struct walk *walk, int dir_fd, const char *name)
{
	int fd = open_directory(dir_fd, name);
	CLEANUP_DIR DIR *dir = take_dir(fd);
	struct place *places;
	struct stat st;

	if (!dir || fstat(fd, &st) < 0)
		return fd < 0 ? fd : -errno;
	places = array_grow(walk->places, walk->depth, &walk->capacity, sizeof *places);
	if (!places)
		return -ENOMEM;
	walk->places = places;
	places[walk->depth++] = (struct place){ .dir = TAKE_PTR(dir), .device = st.st_dev, .inode = st.st_ino };
	walk->bytes += (uint64_t)st.st_blocks * 512;
	if (walk->depth > WALK_OPEN_MAX && places[walk->depth - 1 - WALK_OPEN_MAX].dir)
		rest(&places[walk->depth - 1 - WALK_OPEN_MAX]);
	return 0;
}

static int leave(struct walk *walk)
{
	struct place *top = &walk->places[walk->depth - 1];
	int r = walk->depth > 1 && !top[-1].dir ? resume(top - 1, dirfd(top->dir)) : 0;

	closedir(top->dir);
	walk->depth--;
	return r;
}

/* The next name in the topmost directory. */
static int walk_step(struct walk *walk)
{
	DIR *dir = walk->places[walk->depth - 1].dir;
	struct dirent *entry = (errno = 0, readdir(dir));
	struct stat st;
	int r;

	if (!entry)
		return errno ? -errno : leave(walk);
	if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
		return 0;
	if (++walk->names > WALK_NAMES_MAX)
		return -E2BIG;
	if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* gone meanwhile */
	if (S_ISDIR(st.st_mode)) {
		r = enter(walk, dirfd(dir), entry->d_name);
		/* Gone, or another thing, or a file system of its own. */
		return r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -EBUSY ? 0 : r;
	}
	if (st.st_nlink > 1)
		return walk->links.count < WALK_LINKS_MAX ? add_link_name(&walk->links, &st) : -E2BIG;
	walk->bytes += (uint64_t)st.st_blocks * 512;
	return 0;
}

static int walk_all(struct walk *walk, int dir_fd, const char *name)
{
	int r = enter(walk, dir_fd, name);

	while (r == 0 && walk->depth > 0)
		r = walk_step(walk);
	while (walk->depth > 0) {
		DIR *dir = walk->places[--walk->depth].dir;

		if (dir)
			closedir(dir);
	}
	free(walk->places);
	return r;
}

static int compare_links(const void *a, const void *b)
{
	uint64_t x = ((const struct link_name *)a)->inode, y = ((const struct link_name *)b)->inode;

	return x < y ? -1 : x > y;
}

/* With @own, only files all of whose names are in the tree. */
static int full_usage(int dir_fd, const char *name, bool own, uint64_t *ret_bytes)
{
	struct walk walk = { 0 };
	struct link_name *links;
	int r = walk_all(&walk, dir_fd, name);

	links = walk.links.items;
	if (r == 0 && walk.links.count > 0)
		qsort(links, walk.links.count, sizeof *links, compare_links);
	for (size_t i = 0, first = 0; r == 0 && i < walk.links.count; i++) {
		if (links[i].inode != links[first].inode)
			first = i;
		if (own ? i - first + 1 == links[i].count : i == first)
			walk.bytes += links[i].bytes;
	}
	free(links);
	if (r == 0)
		*ret_bytes = walk.bytes;
	return r;
}

int tree_disk_usage(int dir_fd, const char *name, uint64_t *ret_bytes)
{
	return full_usage(dir_fd, name, false, ret_bytes);
}

int tree_own_usage(int dir_fd, const char *name, uint64_t *ret_bytes)
{
	return full_usage(dir_fd, name, true, ret_bytes);
}

int tree_list_names(int dir_fd, struct text_list *names)
{
	CLEANUP_DIR DIR *dir = take_dir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((errno = 0, entry = readdir(dir)))
		if (!text_equal(entry->d_name, ".") && !text_equal(entry->d_name, "..") &&
		    text_list_add(names, entry->d_name) < 0)
			return -ENOMEM;
	if (errno)
		return -errno;
	text_list_sort(names);
	return 0;
}

int tree_make_directories(int dir_fd, const char *path, mode_t mode)
{
	CLEANUP_FREE char *copy = strdup(path);
	struct stat st;
	int existed = 1;

	if (!copy)
		return -ENOMEM;
	if (!*copy)
		return -ENOENT;
	for (char *p = copy + 1;; p++) {
		char saved = *p;

		if (saved && saved != '/')
			continue;
		*p = '\0';
		if (mkdirat(dir_fd, copy, mode) == 0)
			existed = 0;
		else if (errno != EEXIST)
			return -errno;
		else if (!saved && (fstatat(dir_fd, copy, &st, 0) < 0 || !S_ISDIR(st.st_mode)))
			return -ENOTDIR;
		*p = saved;
		if (!saved)
			return existed;
	}
}

int tree_open_in_root(int root_fd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = mode,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd, tries = 0;

	/* EAGAIN: somewhere something was renamed or mounted while a ".." was walked, so the kernel is not sure. */
	do
		fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
	while (fd < 0 && errno == EAGAIN && ++tries < RACES_MAX);
	return fd < 0 ? -errno : fd;
}

int tree_read_in_root(int root_fd, const char *path, size_t max, char **ret_text)
{
	CLEANUP_FD int fd = tree_open_in_root(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? fd_read_all(fd, max, ret_text, NULL) : -EINVAL;
}

int tree_open_beneath(int dir_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof how);

	return fd < 0 ? -errno : fd;
}

int tree_open_without_links(const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_NO_SYMLINKS };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);

	return fd < 0 ? -errno : fd;
}

int tree_open_parent_in_root(int root_fd, const char *path, const char **ret_name)
{
	CLEANUP_FREE char *copy = strdup(path);
	const char *name;
	char *slash;
	int fd;

	if (!copy)
		return -ENOMEM;
	slash = strrchr(copy, '/');
	name = slash ? path + (slash - copy) + 1 : path;
	if (!*name || text_equal(name, ".") || text_equal(name, ".."))
		return -EINVAL;
	if (slash)
		*slash = '\0';
	fd = tree_open_in_root(root_fd, slash && *copy ? copy : ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd >= 0)
		*ret_name = name;
	return fd;
}
