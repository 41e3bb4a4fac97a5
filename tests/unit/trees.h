/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trees with everything that a layer can have, the same for the same number; and whether two are the same. */
#pragma once

#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <linux/limits.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "../../liblayerbox/util/text.h"

/* u::rwx u:513:r-x g::r-x m::rwx o::r-x */
static const char acl[] = "\2\0\0\0\1\0\7\0\377\377\377\377\2\0\5\0\1\2\0\0\4\0\5\0\377\377\377\377"
			  "\20\0\7\0\377\377\377\377\40\0\5\0\377\377\377\377";

/* -------------------------------------------------------------------------------------------- equal trees */

/* Says only that whiteouts are in a directory, which the whiteouts say, too. */
#define WHITEOUTS_MARK "trusted.overlay.origin"

static inline bool is_marked(const char *directory)
{
	ssize_t n = lgetxattr(directory, WHITEOUTS_MARK, NULL, 0);

	assert_true(n == 0 || (n < 0 && errno == ENODATA));
	return n == 0;
}

/* Their length, without the mark's. */
static inline ssize_t list_xattrs(const char *path, char names[XATTR_LIST_MAX])
{
	ssize_t n = llistxattr(path, names, XATTR_LIST_MAX);

	return lgetxattr(path, WHITEOUTS_MARK, NULL, 0) == 0 ? n - (ssize_t)sizeof WHITEOUTS_MARK : n;
}

static inline void compare_xattrs(const char *a, const char *b)
{
	static char names[XATTR_LIST_MAX], other[XATTR_LIST_MAX], value[XATTR_SIZE_MAX], second[XATTR_SIZE_MAX];
	ssize_t n = list_xattrs(a, names), m = list_xattrs(b, other);

	if (n != m)
		fail_msg("%s and %s have not the same attributes", a, b);
	n = llistxattr(a, names, sizeof names);
	for (const char *name = names; name < names + n; name += strlen(name) + 1) {
		if (strcmp(name, WHITEOUTS_MARK) == 0)
			continue;
		m = lgetxattr(a, name, value, sizeof value);
		if (m < 0 || lgetxattr(b, name, second, sizeof second) != m || memcmp(value, second, (size_t)m) != 0)
			fail_msg("%s of %s and %s differ", name, a, b);
	}
}

static inline void compare_content(const char *a, const char *b, off_t size)
{
	static char first[65536], second[sizeof first];
	CLEANUP_FD int a_fd = open(a, O_RDONLY | O_CLOEXEC);
	CLEANUP_FD int b_fd = open(b, O_RDONLY | O_CLOEXEC);
	off_t data = 0;

	assert_true(a_fd >= 0 && b_fd >= 0);
	while (data < size && (data = lseek(a_fd, data, SEEK_DATA)) >= 0) {
		ssize_t n = pread(a_fd, first, sizeof first, data);

		if (lseek(b_fd, data, SEEK_DATA) != data)
			fail_msg("%s has not the holes of %s", b, a);
		if (pread(b_fd, second, sizeof second, data) != n || memcmp(first, second, (size_t)n) != 0)
			fail_msg("%s and %s differ at %ld", a, b, (long)data);
		data += n;
	}
}

static inline void compare_stat(const char *a, const char *b, struct stat *x)
{
	struct stat y;

	if (lstat(a, x) < 0 || lstat(b, &y) < 0)
		fail_msg("%s or %s is not there", a, b);
	if (x->st_mode != y.st_mode || x->st_uid != y.st_uid || x->st_gid != y.st_gid || x->st_rdev != y.st_rdev)
		fail_msg("%s is %o %u:%u %lx, %s is %o %u:%u %lx", a, x->st_mode, x->st_uid, x->st_gid,
			 (unsigned long)x->st_rdev, b, y.st_mode, y.st_uid, y.st_gid, (unsigned long)y.st_rdev);
	if (memcmp(&x->st_mtim, &y.st_mtim, sizeof x->st_mtim) != 0)
		fail_msg("%s and %s have other times", a, b);
	if (!S_ISDIR(x->st_mode) && x->st_size != y.st_size)
		fail_msg("%s has %ld bytes, %s %ld", a, (long)x->st_size, b, (long)y.st_size);
	if (S_ISREG(x->st_mode) && x->st_blocks != y.st_blocks)
		fail_msg("%s has %ld blocks, %s %ld", a, (long)x->st_blocks, b, (long)y.st_blocks);
}

/* For each inode of one tree, under which name it was met: the other tree must have it there, too. */
struct met {
	ino_t inode;
	char *path; /* in the second tree */
};

static struct met met[4096];
static size_t met_count;

static inline void compare_links(const struct stat *st, const char *b)
{
	struct stat y, z;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2 || (S_ISCHR(st->st_mode) && !st->st_rdev))
		return;
	assert_int_equal(lstat(b, &y), 0);
	for (size_t i = 0; i < met_count; i++) {
		if (met[i].inode != st->st_ino)
			continue;
		assert_int_equal(lstat(met[i].path, &z), 0);
		if (z.st_ino != y.st_ino)
			fail_msg("%s is no link to %s", b, met[i].path);
		return;
	}
	assert_true(met_count < sizeof met / sizeof *met);
	met[met_count++] = (struct met){ st->st_ino, strdup(b) };
}

static inline void compare_trees_below(const char *a, const char *b)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_TEXT_LIST struct text_list others = { 0 };
	CLEANUP_FD int a_fd = -1;
	CLEANUP_FD int b_fd = -1;
	char target[PATH_MAX] = "", other[PATH_MAX] = "";
	struct stat st;

	compare_stat(a, b, &st);
	compare_xattrs(a, b);
	compare_links(&st, b);
	if (S_ISREG(st.st_mode))
		compare_content(a, b, st.st_size);
	if (S_ISLNK(st.st_mode)) {
		assert_true(readlink(a, target, sizeof target) > 0 && readlink(b, other, sizeof other) > 0);
		assert_string_equal(target, other);
	}
	if (!S_ISDIR(st.st_mode))
		return;
	a_fd = open(a, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	b_fd = open(b, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(tree_list_names(a_fd, &names) == 0 && tree_list_names(b_fd, &others) == 0);
	if (names.count != others.count)
		fail_msg("%s has %zu names, %s %zu", a, names.count, b, others.count);
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP_FREE char *below = text_format("%s/%s", a, names.items[i]);
		CLEANUP_FREE char *other_below = text_format("%s/%s", b, names.items[i]);

		compare_trees_below(below, other_below);
	}
}

static inline void compare_trees(const char *a, const char *b)
{
	compare_trees_below(a, b);
	while (met_count > 0)
		free(met[--met_count].path);
}

/* ------------------------------------------------------------------------------------------ random trees */

static unsigned seed;

static inline unsigned dice(unsigned sides)
{
	return (unsigned)rand_r(&seed) % sides;
}

/* Any byte but two; long ones now and then. */
static inline void random_name(char name[NAME_MAX + 1])
{
	unsigned length = dice(20) ? 1 + dice(12) : NAME_MAX - dice(3);

	for (unsigned i = 0; i < length; i++)
		do
			name[i] = (char)(dice(3) ? 'a' + dice(26) : 1 + dice(255));
		while (name[i] == '/');
	name[length] = '\0';
}

static inline void random_xattrs(const char *path, const struct stat *st)
{
	static const char capability[] = "\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0";
	char value[300];

	for (size_t i = 0; i < sizeof value; i++)
		value[i] = (char)dice(256);
	if (S_ISDIR(st->st_mode) && dice(3) == 0)
		assert_int_equal(setxattr(path, "trusted.overlay.opaque", "y", 1, 0), 0);
	if (S_ISDIR(st->st_mode) && dice(3) == 0)
		assert_true(setxattr(path, "system.posix_acl_default", acl, sizeof acl - 1, 0) == 0 ||
			    errno == EOPNOTSUPP);
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return;
	if (dice(3) == 0) /* not every file system in memory has these, nor is every name allowed */
		assert_true(lsetxattr(path, "user.a=b %\xe9\n", value, dice(sizeof value), 0) == 0 ||
			    errno == EOPNOTSUPP);
	if (dice(4) == 0)
		assert_true(lsetxattr(path, "user.empty", "", 0, 0) == 0 || errno == EOPNOTSUPP);
	if (dice(4) == 0)
		assert_true(setxattr(path, "system.posix_acl_access", acl, sizeof acl - 1, 0) == 0 ||
			    errno == EOPNOTSUPP);
	if (S_ISREG(st->st_mode) && dice(4) == 0)
		assert_int_equal(setxattr(path, "security.capability", capability, sizeof capability, 0), 0);
}

static inline void random_attributes(const char *path)
{
	const struct timespec times[] = { { 1, 2 },
					  { (time_t)dice(1U << 31) - (time_t)dice(1U << 20), dice(1000000000) } };
	struct stat st;

	assert_int_equal(lchown(path, dice(2) ? dice(70000) : 4000000000U, dice(70000)), 0);
	assert_int_equal(lstat(path, &st), 0);
	if (!S_ISLNK(st.st_mode)) {
		random_xattrs(path, &st);
		assert_int_equal(chmod(path, dice(010000)), 0);
	}
	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static inline void random_file(const char *path)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	static char data[300000];
	unsigned pieces = dice(4);

	assert_true(fd >= 0);
	for (unsigned i = 0; i < sizeof data; i++)
		data[i] = (char)(i * seed >> 7);
	if (dice(3) == 0)
		assert_int_equal(ftruncate(fd, dice(3000000)), 0);
	while (pieces-- > 0) {
		unsigned length = dice(2) ? dice(2000) : dice(sizeof data);

		assert_int_equal(pwrite(fd, data, length, dice(3) ? 0 : dice(4000000)), length);
	}
}

static inline void random_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof address.sun_path, "sock.tmp");
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(rename("sock.tmp", path), 0);
}

static inline void random_entry(const char *path, const char *linkable)
{
	switch (dice(9)) {
	case 0:
		assert_int_equal(symlink(dice(2) ? "../../../../etc/passwd" : "\xff\x01 x", path), 0);
		break;
	case 1:
		assert_int_equal(mkfifo(path, 0600), 0);
		break;
	case 2:
		assert_int_equal(mknod(path, S_IFCHR, 0), 0);
		break;
	case 3:
		random_socket(path);
		break;
	case 4:
		if (linkable) {
			assert_int_equal(linkat(AT_FDCWD, linkable, AT_FDCWD, path, 0), 0);
			return;
		}
		random_file(path);
		break;
	default:
		random_file(path);
	}
	random_attributes(path);
}

/* @linkable: some file of the tree, or NULL. */
static inline void random_tree(const char *directory, int depth, char **linkable)
{
	unsigned count = 2 + dice(8);

	while (count-- > 0) {
		char name[NAME_MAX + 1];
		CLEANUP_FREE char *path = NULL;

		random_name(name);
		path = text_format("%s/%s", directory, name);
		if (text_equal(name, ".") || text_equal(name, "..") || exists(path))
			continue;
		if (depth < 4 && dice(3) == 0) {
			assert_int_equal(mkdir(path, 0700), 0);
			random_tree(path, depth + 1, linkable);
			continue;
		}
		random_entry(path, *linkable);
		if (dice(3) == 0) {
			free(*linkable);
			*linkable = strdup(path);
		}
	}
	random_attributes(directory);
}

static inline void make_random_tree(const char *directory, unsigned number)
{
	CLEANUP_FREE char *linkable = NULL;

	seed = number;
	assert_int_equal(tree_remove(AT_FDCWD, directory), 0);
	assert_int_equal(mkdir(directory, 0700), 0);
	random_tree(directory, 0, &linkable);
}

/* Changes a tree that shares its files with another one, as a container does: files are replaced, not written into. */
static inline void change_randomly(const char *directory, int depth)
{
	CLEANUP_FD int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_TEXT_LIST struct text_list names = { 0 };

	assert_int_equal(tree_list_names(fd, &names), 0);
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP_FREE char *path = text_format("%s/%s", directory, names.items[i]);
		CLEANUP_FREE char *fresh = text_format("%s/%s.new%u", directory, dice(2) ? "~" : "!", dice(1000));
		struct stat st;

		assert_int_equal(lstat(path, &st), 0);
		if (S_ISDIR(st.st_mode) && dice(2))
			change_randomly(path, depth + 1);
		else if (dice(4) == 0)
			assert_int_equal(tree_remove(fd, names.items[i]), 0);
		else if (dice(4) == 0 && !exists(fresh))
			random_entry(fresh, S_ISREG(st.st_mode) ? path : NULL);
		else if (dice(4) == 0)
			random_attributes(path);
		if (!exists(path) && dice(2))
			random_entry(path, NULL);
		else if (!exists(path) && dice(2))
			assert_int_equal(mkdir(path, 0755), 0);
	}
	if (dice(2))
		random_attributes(directory);
}

/* Files of "a" are those of "b": then a change of attributes is one of both, and no difference. */
