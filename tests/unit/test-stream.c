/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams: what comes back as it was, and what is refused, whatever bytes come. */
#include "unit.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <limits.h>
#include <linux/limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "../../libexec/stream-copy.h"
#include "../../libexec/stream-format.h"
#include "../../libexec/stream-names.h"
#include "../../libexec/stream-pack.h"
#include "../../libexec/stream-unpack.h"
#include "../../liblayerbox/util/file.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define LAYER_A "out/layers/" A "/rootfs-layer"
#define LAYER_B "out/layers/" B "/rootfs-layer"
#define HEAD "file layerbox-stream 11\nformat = 1\n\nfile container.conf 4\na = \n"
#define TREE_A HEAD "tree layers/" A " a\nend\n"

/* u::rwx u:513:r-x g::r-x m::rwx o::r-x */
static const char acl[] = "\2\0\0\0\1\0\7\0\377\377\377\377\2\0\5\0\1\2\0\0\4\0\5\0\377\377\377\377"
			  "\20\0\7\0\377\377\377\377\40\0\5\0\377\377\377\377";

static struct stream_error error;
static char program[PATH_MAX]; /* layerbox-stream, as it was built */

/* ------------------------------------------------------------------------------------- packing and unpacking */

/* What the reader is told, and what of it happens. */
struct told {
	const char *layer, *other; /* accepted */
	const char *from; /* the tree that @layer is a difference to */
	bool base, privileged;
	uint64_t entries_max;
	bool acl;                     /* the directory has one that is inherited */
	int called;
};

static const struct told layer_a = { .layer = A };

static int make_from(const char *from)
{
	int r = tree_make_directories(AT_FDCWD, LAYER_A, 0700), from_fd, fd;

	assert_true(r >= 0);
	from_fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open(LAYER_A, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(from_fd >= 0 && fd >= 0);
	r = stream_copy_tree(from_fd, fd, &error);
	close(from_fd);
	close(fd);
	return r;
}

static int tell(void *userdata, struct stream_plan *plan, struct stream_error *plan_error)
{
	struct told *told = userdata;

	(void)plan_error;
	told->called++;
	if (told->acl)
		assert_int_equal(setxattr("out", "system.posix_acl_default", acl, sizeof acl - 1, 0), 0);
	plan->base = told->base;
	plan->privileged = told->privileged;
	if (told->entries_max)
		plan->entries_max = told->entries_max;
	if (told->layer && stream_plan_add(plan, told->layer, told->from != NULL) < 0)
		return -STREAM_FAILED;
	if (told->other && stream_plan_add(plan, told->other, false) < 0)
		return -STREAM_FAILED;
	return told->from ? make_from(told->from) : 0;
}

static int pack_to(const char *file, const char *plan, bool plain)
{
	CLEANUP_FD int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CLEANUP_FILE FILE *lines = fmemopen((void *)(uintptr_t)plan, strlen(plan), "r");

	assert_true(fd >= 0 && lines);
	return stream_pack(lines, fd, plain, &error);
}

static void pack(const char *plan, bool plain)
{
	if (pack_to("s", plan, plain) < 0)
		fail_msg("cannot pack: %s", error.text);
}

static int unpack_file(const char *file, const struct told *told)
{
	CLEANUP_FD int fd = open(file, O_RDONLY | O_CLOEXEC);
	CLEANUP_FD int out = -1;
	struct told mine = *told;
	int r;

	assert_true(fd >= 0);
	assert_int_equal(tree_remove(AT_FDCWD, "out"), 0);
	assert_int_equal(mkdir("out", 0700), 0);
	out = open("out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	error = (struct stream_error){ 0 };
	r = stream_unpack(fd, out, tell, &mine, &error);
	assert_true(mine.called <= 1 && (r < 0 || mine.called == 1));
	assert_true(r == 0 || (r == -(int)error.status && *error.text));
	return r;
}

static void unpack(const struct told *told)
{
	if (unpack_file("s", told) < 0)
		fail_msg("cannot unpack: %s", error.text);
}

static void refused(const struct told *told, const char *sentence)
{
	int r = unpack_file("s", told);

	if (r != -STREAM_BAD)
		fail_msg("not refused for \"%s\": %d %s", sentence, r, r ? error.text : "");
	assert_contains(error.text, sentence);
}

/* -------------------------------------------------------------------------------------------- equal trees */

static void compare_xattrs(const char *a, const char *b)
{
	static char names[XATTR_LIST_MAX], other[XATTR_LIST_MAX], value[XATTR_SIZE_MAX], second[XATTR_SIZE_MAX];
	ssize_t n = llistxattr(a, names, sizeof names), m = llistxattr(b, other, sizeof other);

	if (n != m)
		fail_msg("%s and %s have not the same attributes", a, b);
	for (const char *name = names; name < names + n; name += strlen(name) + 1) {
		n = llistxattr(a, names, sizeof names);
		m = lgetxattr(a, name, value, sizeof value);
		if (m < 0 || lgetxattr(b, name, second, sizeof second) != m || memcmp(value, second, (size_t)m) != 0)
			fail_msg("%s of %s and %s differ", name, a, b);
	}
}

static void compare_content(const char *a, const char *b, off_t size)
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

static void compare_stat(const char *a, const char *b, struct stat *x)
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

static void compare_links(const struct stat *st, const char *b)
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

static void compare_trees_below(const char *a, const char *b)
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

static void compare_trees(const char *a, const char *b)
{
	compare_trees_below(a, b);
	while (met_count > 0)
		free(met[--met_count].path);
}

/* ------------------------------------------------------------------------------------------ random trees */

static unsigned seed;

static unsigned dice(unsigned sides)
{
	return (unsigned)rand_r(&seed) % sides;
}

/* Any byte but two; long ones now and then. */
static void random_name(char name[NAME_MAX + 1])
{
	unsigned length = dice(20) ? 1 + dice(12) : NAME_MAX - dice(3);

	for (unsigned i = 0; i < length; i++)
		do
			name[i] = (char)(dice(3) ? 'a' + dice(26) : 1 + dice(255));
		while (name[i] == '/');
	name[length] = '\0';
}

static void random_xattrs(const char *path, const struct stat *st)
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

static void random_attributes(const char *path)
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

static void random_file(const char *path)
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

static void random_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof address.sun_path, "sock.tmp");
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(rename("sock.tmp", path), 0);
}

static void random_entry(const char *path, const char *linkable)
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
		if (linkable && dice(2)) {
			assert_int_equal(linkat(AT_FDCWD, linkable, AT_FDCWD, path, 0), 0);
			return;
		}
		/* fall through */
	default:
		random_file(path);
	}
	random_attributes(path);
}

/* @linkable: some file of the tree, or NULL. */
static void random_tree(const char *directory, int depth, char **linkable)
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

static void make_random_tree(const char *directory, unsigned number)
{
	CLEANUP_FREE char *linkable = NULL;

	seed = number;
	assert_int_equal(tree_remove(AT_FDCWD, directory), 0);
	assert_int_equal(mkdir(directory, 0700), 0);
	random_tree(directory, 0, &linkable);
}

/* --------------------------------------------------------------------------------------------- round trips */

static void test_random_trees(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 25; i++) {
		make_random_tree("a", i);
		pack(TREE_A, i % 2);
		unpack(&layer_a);
		compare_trees("a", LAYER_A);
	}
}

static void test_nothing_is_inherited(void **state)
{
	(void)state;
	make_random_tree("a", 4);
	if (setxattr("b", "system.posix_acl_default", acl, sizeof acl - 1, 0) < 0 && errno == EOPNOTSUPP)
		return;
	pack(TREE_A, true);
	unpack(&(struct told){ .layer = A, .acl = true });
	compare_trees("a", LAYER_A);
	pack(HEAD "difference layers/" A " a a\nend\n", true);
	unpack(&(struct told){ .layer = A, .from = "a", .acl = true });
	compare_trees("a", LAYER_A);
}

static void test_small_files(void **state)
{
	CLEANUP_FREE char *text = NULL;

	(void)state;
	pack(HEAD "file snapshots/x-1 2\nab\nfile snapshots/y 0\n\nend\n", false);
	unpack(&(struct told){ 0 });
	assert_int_equal(file_read(AT_FDCWD, "out/snapshots/x-1", 100, &text, NULL), 0);
	assert_string_equal(text, "ab");
	assert_true(exists("out/snapshots/y") && exists("out/layerbox-stream") && exists("out/container.conf"));
	assert_false(exists("out/layers"));
}

static void test_large_holes(void **state)
{
	CLEANUP_FD int fd = open("a/large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	(void)state;
	assert_int_equal(ftruncate(fd, 100LL << 30), 0);
	assert_int_equal(pwrite(fd, "x", 1, 70LL << 30), 1);
	assert_int_equal(truncate("a/large", 100LL << 30), 0);
	put_file("a/none", "");
	assert_int_equal(truncate("a/none", 10LL << 30), 0);
	pack(TREE_A, true);
	assert_int_equal(stat("s", &st), 0);
	assert_true(st.st_size < 64 << 10);
	unpack(&layer_a);
	compare_trees("a", LAYER_A);
}

/* More pieces than a header tells of: small holes become content, which is the same to a reader. */
static void test_many_holes(void **state)
{
	enum { PIECES = STREAM_EXTENTS_MAX + 1000, STEP = 8192 };
	CLEANUP_FD int fd = open("a/many", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CLEANUP_FD int other = -1;
	char c;

	(void)state;
	for (off_t i = 0; i < PIECES; i++)
		assert_int_equal(pwrite(fd, "0123456789" + i % 10, 1, i * STEP), 1);
	pack(TREE_A, false);
	unpack(&layer_a);
	other = open(LAYER_A "/many", O_RDONLY | O_CLOEXEC);
	for (off_t i = 0; i < PIECES; i++)
		assert_true(pread(other, &c, 1, i * STEP) == 1 && c == '0' + i % 10);
}

static void test_deep(void **state)
{
	struct rlimit limit;
	int fd = open("a", O_RDONLY | O_DIRECTORY | O_CLOEXEC), below;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 1; i < STREAM_DEPTH_MAX; i++) {
		assert_true(mkdirat(fd, "directory", 0755) == 0);
		below = openat(fd, "directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = below;
	}
	below = openat(fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	close(below);
	assert_int_equal(linkat(fd, "f", fd, "g", 0), 0);
	pack(TREE_A, true);
	unpack(&layer_a);
	assert_int_equal(mkdirat(fd, "directory", 0755), 0);
	close(fd);
	assert_int_equal(pack_to("s", TREE_A, true), -STREAM_FAILED);
	assert_contains(error.text, "directories deep");
	refused(&layer_a, "cut off");
}

static void test_names_in_order(void **state)
{
	CLEANUP_STREAM_NAMES struct stream_names names = STREAM_NAMES_EMPTY;
	CLEANUP_FD int fd = open("a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char last[NAME_MAX + 1] = "";
	const char *name;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char path[64];

		snprintf(path, sizeof path, "a/%d", i * 7919 % 1000);
		put_file(path, "");
	}
	assert_int_equal(stream_names_open(fd, &names), 0);
	names.at_once = 7;
	while (stream_names_next(&names, &name) > 0) {
		assert_true(strcmp(last, name) < 0);
		text_copy(last, sizeof last, name);
		count++;
	}
	assert_int_equal(count, 1000);
}

static void test_left_out(void **state)
{
	char value[8];

	(void)state;
	assert_int_equal(mkdir("a/d", 0755), 0);
	assert_int_equal(setxattr("a/d", "trusted.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(setxattr("a/d", "trusted.overlay.origin", "x", 1, 0), 0);
	assert_int_equal(setxattr("a/d", "trusted.overlay.impure", "y", 1, 0), 0);
	put_file("a/f", "");
	assert_int_equal(setxattr("a/f", "trusted.overlay.metacopy", "", 0, 0), 0);
	assert_int_equal(setxattr("a/f", "trusted.overlay.redirect", "/etc", 4, 0), 0);
	assert_int_equal(setxattr("a/f", "security.other", "x", 1, 0), 0);
	pack(TREE_A, true);
	unpack(&layer_a);
	assert_int_equal(getxattr(LAYER_A "/d", "trusted.overlay.opaque", value, sizeof value), 1);
	assert_int_equal(listxattr(LAYER_A "/d", NULL, 0), sizeof "trusted.overlay.opaque");
	assert_int_equal(listxattr(LAYER_A "/f", NULL, 0), 0);
}

static void test_privileged(void **state)
{
	const struct told privileged = { .layer = A, .privileged = true };

	(void)state;
	assert_int_equal(mknod("a/disk", S_IFBLK | 0660, makedev(8, 300)), 0);
	assert_int_equal(mknod("a/tty", S_IFCHR | 0620, makedev(4, 1)), 0);
	pack(TREE_A, true);
	refused(&layer_a, "disk");
	unpack(&privileged);
	compare_trees("a", LAYER_A);
	assert_int_equal(unlink("a/disk") + unlink("a/tty"), 0);
	put_file("a/f", "");
	assert_int_equal(setxattr("a/f", "trusted.other", "x", 1, 0), 0);
	assert_int_equal(setxattr("a/f", "trusted.overlay.overlay.opaque", "y", 1, 0), 0); /* of an overlay inside */
	pack(TREE_A, true);
	refused(&layer_a, "only a privileged container");
	unpack(&privileged);
	compare_trees("a", LAYER_A);
}

static void test_base_and_two_layers(void **state)
{
	const struct told told = { .layer = A, .other = B, .base = true };

	(void)state;
	make_random_tree("a", 1);
	make_random_tree("b", 2);
	assert_true(mkdir("gen", 0700) == 0 && mkdir("gen/rootfs", 0755) == 0 && mkdir("gen/rootfs/etc", 0755) == 0);
	put_file("gen/rootfs/etc/x", "1");
	assert_int_equal(link("gen/rootfs/etc/x", "gen/rootfs/y"), 0);
	put_file("gen/generation.conf", "a = b\n");
	put_file("gen/manifest", "layerbox-manifest\n");
	pack(HEAD "tree base gen\ntree layers/" B " b\ntree layers/" A " a\nend\n", false);
	unpack(&told);
	compare_trees("a", LAYER_A);
	compare_trees("b", LAYER_B);
	compare_trees("gen", "out/base");
	pack(HEAD "file base/manifest 1\nx\ntree base/rootfs gen/rootfs\nend\n", true);
	unpack(&(struct told){ .base = true });
	compare_trees("gen/rootfs", "out/base/rootfs");
	refused(&(struct told){ 0 }, "nobody asked for");
	refused(&(struct told){ .base = true, .layer = A }, "layer " A " is not in the stream");
}

/* ----------------------------------------------------------------------------------------------- differences */

#define DIFFERENCE HEAD "difference layers/" A " b a\nend\n"
static const struct told from_a = { .layer = A, .from = "a" };

/* Changes a tree that shares its files with another one, as a container does: files are replaced, not written into. */
static void change_randomly(const char *directory, int depth)
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
static void share_tree(void)
{
	CLEANUP_FD int from = open("a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int to = -1;

	assert_int_equal(tree_remove(AT_FDCWD, "b"), 0);
	assert_int_equal(mkdir("b", 0700), 0);
	to = open("b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(stream_copy_tree(from, to, &error), 0);
	compare_trees("a", "b");
}

static void test_random_differences(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 30; i++) {
		make_random_tree("a", i);
		share_tree();
		change_randomly("b", 0);
		pack(DIFFERENCE, true);
		unpack(&from_a);
		compare_trees("b", LAYER_A);
	}
}

static void test_difference_is_small(void **state)
{
	CLEANUP_FD int fd = -1;
	struct stat st, changed;

	(void)state;
	make_random_tree("a", 3);
	assert_int_equal(mkdir("a/zz", 0755), 0);
	for (int i = 0; i < 500; i++) {
		char path[64];

		snprintf(path, sizeof path, "a/zz/%d", i);
		put_file(path, "unchanged");
	}
	share_tree();
	pack(DIFFERENCE, true);
	assert_int_equal(stat("s", &st), 0);
	assert_int_equal(unlink("b/zz/7"), 0);
	put_file("b/zz/new", "");
	pack(DIFFERENCE, true);
	assert_int_equal(stat("s", &changed), 0);
	assert_true(st.st_size <= 16384 && changed.st_size <= 16384);
	unpack(&from_a);
	compare_trees("b", LAYER_A);
	/* What it is based on has not changed, whatever is done to what came. */
	fd = open(LAYER_A "/zz/new", O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_true(exists("a/zz/7"));
}

/* One name of a file is new: all of them come, or the others would be another file. */
static void test_difference_of_links(void **state)
{
	(void)state;
	put_file("a/one", "1");
	assert_int_equal(link("a/one", "a/two"), 0);
	put_file("a/other", "2");
	share_tree();
	assert_int_equal(link("b/one", "b/three"), 0);
	pack(DIFFERENCE, true);
	unpack(&from_a);
	compare_trees("b", LAYER_A);
	assert_int_equal(unlink("b/one"), 0);
	pack(DIFFERENCE, true);
	unpack(&from_a);
	compare_trees("b", LAYER_A);
}

static void test_difference_of_types(void **state)
{
	(void)state;
	assert_true(mkdir("a/d", 0755) == 0 && mkdir("a/d/e", 0755) == 0 && mkdir("a/w", 0755) == 0);
	put_file("a/d/e/f", "");
	put_file("a/f", "");
	put_file("a/.layerbox-gone", "a file like any other");
	put_file("a/last", "");
	share_tree();
	assert_true(tree_remove(AT_FDCWD, "b/d") == 0 && tree_remove(AT_FDCWD, "b/w") == 0 && unlink("b/f") == 0);
	put_file("b/d", "now a file");
	assert_int_equal(mknod("b/w", S_IFCHR, 0), 0);
	assert_int_equal(mkdir("b/f", 0755), 0);
	put_file("b/f/x", "");
	assert_int_equal(unlink("b/.layerbox-gone") + unlink("b/last"), 0);
	put_file("b/.layerbox-gone", "another one");
	pack(DIFFERENCE, true);
	unpack(&from_a);
	compare_trees("b", LAYER_A);
}

/* An opaque mark that goes, an ACL that what is new must not inherit, times of directories that did not change. */
static void test_difference_of_directories(void **state)
{
	struct timespec times[2];
	struct stat st;

	(void)state;
	assert_true(mkdir("a/opaque", 0755) == 0 && mkdir("a/acl", 02755) == 0);
	assert_int_equal(setxattr("a/opaque", "trusted.overlay.opaque", "y", 1, 0), 0);
	put_file("a/acl/one", "");
	if (setxattr("a/acl", "system.posix_acl_default", acl, sizeof acl - 1, 0) < 0)
		assert_int_equal(errno, EOPNOTSUPP);
	assert_int_equal(chown("a/acl", 5, 6), 0);
	share_tree();
	assert_int_equal(removexattr("b/opaque", "trusted.overlay.opaque"), 0);
	assert_int_equal(stat("b/acl", &st), 0);
	assert_int_equal(unlink("b/acl/one"), 0);
	put_file("b/outside", "without any ACL");
	assert_int_equal(rename("b/outside", "b/acl/two"), 0);
	assert_int_equal(mkdir("b/d", 0755), 0);
	assert_int_equal(rename("b/d", "b/acl/d"), 0);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, "b/acl", times, 0), 0);
	pack(DIFFERENCE, true);
	unpack(&from_a);
	compare_trees("b", LAYER_A);
}

/* Many names: several lists. */
static void test_much_is_gone(void **state)
{
	(void)state;
	for (int i = 0; i < 10000; i++) {
		char path[300];

		snprintf(path, sizeof path, "a/%0200d", i);
		put_file(path, "");
	}
	pack(HEAD "difference layers/" A " b a\nend\n", true);
	unpack(&from_a);
	compare_trees("b", LAYER_A);
}

static void test_difference_to_another_layer(void **state)
{
	(void)state;
	put_file("a/one", "1");
	pack(DIFFERENCE, true);
	assert_int_equal(mkdir("c", 0755), 0);
	refused(&(struct told){ .layer = A, .from = "c" }, "difference to another layer");
	refused(&layer_a, "where there can be none");
}

/* ------------------------------------------------------------------------------------------- hostile members */

/* Most members say little. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct made {
	const char *name;
	mode_t type; /* 0: a hard link */
	const char *link;
	const char *data;
	const char *xattr, *value;
	la_int64_t uid;
	int major, minor;
};

static void write_made(struct archive *out, const struct made *made)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, made->name);
	archive_entry_set_mode(entry, (made->type ? made->type : AE_IFREG) | 0755);
	archive_entry_set_uid(entry, made->uid);
	archive_entry_set_mtime(entry, 1, 1);
	archive_entry_set_size(entry, made->data ? (la_int64_t)strlen(made->data) : 0);
	archive_entry_set_rdevmajor(entry, made->major);
	archive_entry_set_rdevminor(entry, made->minor);
	if (made->xattr)
		archive_entry_xattr_add_entry(entry, made->xattr, made->value, strlen(made->value));
	if (made->link && made->type)
		archive_entry_set_symlink(entry, made->link);
	else if (made->link)
		archive_entry_set_hardlink(entry, made->link);
	assert_int_equal(archive_write_header(out, entry), ARCHIVE_OK);
	if (made->data)
		assert_int_equal(archive_write_data(out, made->data, strlen(made->data)), strlen(made->data));
	archive_entry_free(entry);
}

#define FRONT                                                                                                          \
	{ "layerbox-stream", AE_IFREG, .data = "format = 1\n" },                                                       \
	{                                                                                                              \
		"container.conf", AE_IFREG, .data = "a = b\n"                                                          \
	}
#define ROOT                                                                                                           \
	{                                                                                                              \
		"layers/" A "/", AE_IFDIR                                                                              \
	}
#define IN_A(name) "layers/" A "/" name

/* Without a proper end: what is wrong must be seen before it. */
static void make_stream(const struct made *entries, const char *options)
{
	struct archive *out = archive_write_new();

	assert_int_equal(archive_write_set_format_pax(out), ARCHIVE_OK);
	assert_int_equal(archive_write_set_options(out, options), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(out, "s"), ARCHIVE_OK);
	for (; entries->name; entries++)
		write_made(out, entries);
	assert_int_equal(archive_write_free(out), ARCHIVE_OK);
}

static void hostile_to(const struct told *told, const char *sentence, const struct made *entries)
{
	CLEANUP_FREE char *victim = NULL;

	make_stream(entries, "hdrcharset=BINARY,xattrheader=LIBARCHIVE");
	refused(told, sentence);
	assert_int_equal(file_read(AT_FDCWD, "outside/victim", 100, &victim, NULL), 0);
	assert_string_equal(victim, "secret");
	assert_false(exists("outside/new") || exists("new") || exists("out/new") || exists("out/layers/new"));
}

#define HOSTILE(sentence, ...) hostile_to(&layer_a, sentence, (const struct made[]){ FRONT, __VA_ARGS__, { 0 } })

static void test_hostile_names(void **state)
{
	(void)state;
	put_file("outside/victim", "secret");
	HOSTILE("is nothing that a stream has", { "/tmp/new", AE_IFREG });
	HOSTILE("is nothing that a stream has", { "../outside/new", AE_IFREG });
	HOSTILE("is nothing that a stream has", { "layers", AE_IFREG });
	HOSTILE("is of no layer", { "layers/", AE_IFDIR });
	HOSTILE("is of no layer", { "layers/" A, AE_IFREG });
	HOSTILE("nobody asked for", { "layers/" B "/", AE_IFDIR });
	HOSTILE("is of no layer", { "layers/../../outside/new", AE_IFREG });
	HOSTILE("is of a layer that nobody", { "layers/../../outside/newaaaaaaaaaaaaaaa/x", AE_IFREG });
	HOSTILE("is of a base, which nobody", { "base/rootfs/", AE_IFDIR });
	HOSTILE("leads out", ROOT, { IN_A("../new"), AE_IFREG });
	HOSTILE("leads out", ROOT, { IN_A("d/../../new"), AE_IFREG });
	HOSTILE("leads out", ROOT, { IN_A(".."), AE_IFDIR });
	HOSTILE("leads out", ROOT, { IN_A("."), AE_IFDIR });
	HOSTILE("leads out", ROOT, { IN_A("/etc"), AE_IFDIR });
	HOSTILE("leads out", ROOT, { IN_A("d//x"), AE_IFDIR });
	HOSTILE("leads out", ROOT,
		{ IN_A("01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234"
		       "56789"
		       "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234"
		       "56789"
		       "01234567890123456789012345678901234567890123456789012345"),
		  AE_IFREG });
	HOSTILE("comes before the directory", { IN_A("x"), AE_IFREG });
	HOSTILE("comes before the directory", ROOT, { IN_A("d/x"), AE_IFREG });
	HOSTILE("must be a directory", { "layers/" A "/", AE_IFLNK, "/etc" });
	HOSTILE("must be a directory", { "layers/" A "/", 0, "layers/" A "/" });
	HOSTILE("name of one", ROOT, { IN_A("x/"), AE_IFLNK, "/etc" });
	HOSTILE("is nothing that a stream has", ROOT, { "container.conf", AE_IFREG });
	HOSTILE("without its own name", ROOT, { STREAM_PLACEHOLDER, AE_IFREG });
	HOSTILE("without its own name", ROOT, { STREAM_PLACEHOLDER, AE_IFREG, .xattr = STREAM_MARK_NAME, .value = "" });
	HOSTILE("is nothing that", ROOT,
		{ STREAM_PLACEHOLDER, AE_IFREG, .xattr = STREAM_MARK_NAME, .value = "/tmp/new" });
	HOSTILE("leads out", ROOT,
		{ STREAM_PLACEHOLDER, AE_IFREG, .xattr = STREAM_MARK_NAME, .value = IN_A("../new") });
	HOSTILE("bad?[31m", ROOT, { IN_A("bad\33[31m/../x"), AE_IFREG });
}

static void test_hostile_order(void **state)
{
	(void)state;
	put_file("outside/victim", "secret");
	HOSTILE("comes twice", ROOT, { IN_A("f"), AE_IFREG }, { IN_A("f"), AE_IFREG });
	HOSTILE("comes twice", ROOT, { IN_A("l"), AE_IFLNK, "../../../../../outside/new" }, { IN_A("l"), AE_IFREG });
	HOSTILE("comes twice", ROOT, { IN_A("d"), AE_IFDIR }, { IN_A("d"), AE_IFREG });
	HOSTILE("comes twice", ROOT, { IN_A("f"), AE_IFREG }, { IN_A("f"), AE_IFDIR });
	HOSTILE("comes twice", ROOT, { IN_A("g"), AE_IFREG }, { IN_A("f"), AE_IFREG });
	HOSTILE("comes twice", ROOT, ROOT);
	HOSTILE("comes before the directory", ROOT, { IN_A("d"), AE_IFDIR }, { IN_A("e"), AE_IFREG },
		{ IN_A("d/x"), AE_IFREG });
	HOSTILE("comes before the directory", ROOT, { IN_A("f"), AE_IFREG }, { IN_A("f/x"), AE_IFREG });
	HOSTILE("comes before the directory", ROOT, { IN_A("l"), AE_IFLNK, "../../../../../outside" },
		{ IN_A("l/new"), AE_IFREG });
	hostile_to(&(struct told){ .layer = A, .other = B }, "not with the others of its layer",
		   (const struct made[]){ FRONT, ROOT, { "layers/" B "/", AE_IFDIR }, { IN_A("x"), AE_IFREG }, { 0 } });
	hostile_to(&(struct told){ .layer = A, .base = true }, "not with the others of its base",
		   (const struct made[]){ FRONT, { "base/", AE_IFDIR }, ROOT, { "base/manifest", AE_IFREG }, { 0 } });
}

static void test_hostile_small_files(void **state)
{
	static char large[(1 << 20) + 2];
	const struct told nothing = { 0 };

	(void)state;
	put_file("outside/victim", "secret");
	memset(large, 'x', sizeof large - 1);
#define SMALL(sentence, ...) hostile_to(&nothing, sentence, (const struct made[]){ __VA_ARGS__, { 0 } })
	SMALL("must not", { "container.conf", AE_IFREG });
	SMALL("must not", { "layerbox-stream", AE_IFREG }, { "layerbox-stream", AE_IFREG });
	SMALL("must not", { "layerbox-stream", AE_IFREG }, { "snapshots/x", AE_IFREG });
	SMALL("must not", FRONT, { "container.conf", AE_IFREG });
	SMALL("must not", FRONT, { "snapshots/b", AE_IFREG }, { "snapshots/a", AE_IFREG });
	SMALL("comes before layerbox-stream", { "layers/" A "/", AE_IFDIR });
	SMALL("comes before layerbox-stream", { "layerbox-stream", AE_IFREG }, { "layerbox-end", AE_IFREG });
	SMALL("is nothing that a stream has", FRONT, { "snapshots/../new", AE_IFREG });
	SMALL("is nothing that a stream has", FRONT, { "snapshots/", AE_IFDIR });
	SMALL("must be a file", { "layerbox-stream", AE_IFLNK, "/etc/passwd" });
	SMALL("must be a file", { "layerbox-stream", AE_IFREG }, { "container.conf", 0, "/etc/passwd" });
	SMALL("too large", { "layerbox-stream", AE_IFREG, .data = large });
	SMALL("too large", { "layerbox-stream", AE_IFREG }, { "container.conf", AE_IFREG, .data = large });
#undef SMALL
}

static void test_hostile_links(void **state)
{
	(void)state;
	put_file("outside/victim", "secret");
	HOSTILE("to a file outside", ROOT, { IN_A("h"), 0, "/etc/passwd" });
	HOSTILE("to a file outside", ROOT, { IN_A("h"), 0, "container.conf" });
	HOSTILE("to a file outside", ROOT, { IN_A("h"), 0, IN_A("../../../container.conf") });
	HOSTILE("to a file outside", ROOT, { IN_A("h"), 0, "../outside/victim" });
	HOSTILE("to a file outside", ROOT, { IN_A("h"), 0, "layers/" A "/" });
	HOSTILE("not there", ROOT, { IN_A("h"), 0, IN_A("missing") });
	HOSTILE("not there", ROOT, { IN_A("h"), 0, IN_A("h") });
	HOSTILE("not there", ROOT, { IN_A("d"), AE_IFDIR }, { IN_A("h"), 0, IN_A("d") });
	HOSTILE("not there", ROOT, { IN_A("a"), AE_IFLNK, "../../../../outside" }, { IN_A("h"), 0, IN_A("a/victim") });
	hostile_to(&(struct told){ .layer = A, .other = B }, "to a file outside",
		   (const struct made[]){ FRONT,
					  { "layers/" B "/", AE_IFDIR },
					  { "layers/" B "/f", AE_IFREG },
					  ROOT,
					  { IN_A("h"), 0, "layers/" B "/f" },
					  { 0 } });
	hostile_to(&(struct told){ .base = true }, "to a file outside",
		   (const struct made[]){ FRONT,
					  { "base/manifest", AE_IFREG },
					  { "base/rootfs/", AE_IFDIR },
					  { "base/rootfs/h", 0, "base/manifest" },
					  { 0 } });
}

static void test_hostile_base(void **state)
{
	const struct told base = { .base = true };

	(void)state;
	put_file("outside/victim", "secret");
#define BASE(sentence, ...) hostile_to(&base, sentence, (const struct made[]){ FRONT, __VA_ARGS__, { 0 } })
	BASE("nothing that a base has", { "base/other", AE_IFREG });
	BASE("nothing that a base has", { "base/manifest", AE_IFLNK, "/etc/passwd" });
	BASE("nothing that a base has", { "base/manifest", 0, "base/manifest" });
	BASE("nothing that a base has", { "base/rootfs2", AE_IFDIR });
	BASE("nothing that a base has", { "base/../new", AE_IFREG });
	BASE("comes before the directory", { "base/rootfs/x", AE_IFREG });
	BASE("comes before the directory", { "base/rootfs", AE_IFLNK, "../../outside" },
	     { "base/rootfs/new", AE_IFREG });
#undef BASE
}

static void test_hostile_attributes(void **state)
{
	(void)state;
	put_file("outside/victim", "secret");
#define WITH(attribute, text) ROOT, { IN_A("f"), AE_IFREG, .xattr = attribute, .value = text }
	HOSTILE("must not carry", WITH("trusted.overlay.redirect", "/etc"));
	HOSTILE("must not carry", WITH("trusted.overlay.metacopy", ""));
	HOSTILE("must not carry", WITH("trusted.overlay.opaque", "x"));
	HOSTILE("must not carry", WITH("trusted.overlay.origin", "x"));
	HOSTILE("must not carry", WITH("security.selinux", "x"));
	HOSTILE("must not carry", WITH("system.other", "x"));
	HOSTILE("must not carry", WITH("layerbox.other", "x"));
	HOSTILE("only a privileged", WITH("trusted.x", "x"));
	HOSTILE("that is none", WITH("system.posix_acl_access", "no such thing"));
	HOSTILE("cannot unpack", WITH("security.capability", "no such thing"));
	HOSTILE("owner", ROOT, { IN_A("f"), AE_IFREG, .uid = 1LL << 32 });
	HOSTILE("owner", ROOT, { IN_A("f"), AE_IFREG, .uid = 0xffffffffLL });
	HOSTILE("is a device", ROOT, { IN_A("f"), AE_IFBLK });
	HOSTILE("is a device", ROOT, { IN_A("f"), AE_IFCHR, .minor = 1 });
	HOSTILE("is a device", ROOT, { IN_A("f"), AE_IFCHR, .major = 1 });
	HOSTILE("where there can be none", WITH(STREAM_MARK_GONE, "y"));
	hostile_to(&(struct told){ .layer = A, .privileged = true }, "must not carry",
		   (const struct made[]){ FRONT, WITH("trusted.overlay.redirect", "/etc"), { 0 } });
#undef WITH
}

static void test_hostile_differences(void **state)
{
	(void)state;
	put_file("outside/victim", "secret");
	assert_int_equal(mkdir("a/d", 0755), 0);
	put_file("a/d/f", "of the other layer");
	assert_int_equal(symlink("../outside", "a/l"), 0);
#define FROM(sentence, ...) hostile_to(&from_a, sentence, (const struct made[]){ FRONT, ROOT, __VA_ARGS__, { 0 } })
#define GONE(text) { IN_A(STREAM_GONE), AE_IFREG, .data = text, .xattr = STREAM_MARK_GONE, .value = "y" }
	FROM("comes in the place of a directory", { IN_A("d"), AE_IFREG });
	FROM("comes in the place of a directory", { IN_A("d"), AE_IFLNK, "/" });
	FROM("cannot unpack", { IN_A("l/new"), AE_IFREG });
	FROM("cannot unpack", { IN_A("d/f/new"), AE_IFREG });
	FROM("cannot unpack", { IN_A("missing/new"), AE_IFREG });
	FROM("comes twice", { IN_A("d/f"), AE_IFREG }, { IN_A("d"), AE_IFDIR });
	FROM("comes twice", { IN_A("x"), AE_IFREG }, { IN_A("d/f"), AE_IFREG });
	FROM("does not end behind a name", GONE("d/f"));
	FROM("does not end behind a name", GONE(""));
	FROM("where there can be none", { IN_A("d/f"), AE_IFREG }, GONE("d/f"));
	FROM("where there can be none", { IN_A("x"), AE_IFREG, .data = "d", .xattr = STREAM_MARK_GONE, .value = "y" });
	/* The file of the other layer is replaced, not written into. */
	FROM("cut off", { IN_A("d/f"), AE_IFREG, .data = "of this one, in its place" });
	FROM("cut off", { IN_A("l"), AE_IFREG, .data = "x" });
#undef FROM
#undef GONE
	{
		CLEANUP_FREE char *text = NULL;

		assert_int_equal(file_read(AT_FDCWD, "a/d/f", 100, &text, NULL), 0);
		assert_string_equal(text, "of the other layer");
	}
}

/* A list has NULs in it, which write_made() cannot. */
static void test_hostile_lists(void **state)
{
	static const char *const names[] = { "../x", "/etc", "d/../../x", "", "missing", "l/victim", "d/", "." };

	(void)state;
	put_file("outside/victim", "secret");
	assert_int_equal(mkdir("a/d", 0755), 0);
	assert_int_equal(symlink("../outside", "a/l"), 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct archive *out = archive_write_new();
		struct archive_entry *entry = archive_entry_new();
		const struct made front[] = { FRONT, ROOT };

		assert_int_equal(archive_write_set_format_pax(out), ARCHIVE_OK);
		assert_int_equal(archive_write_open_filename(out, "s"), ARCHIVE_OK);
		for (size_t k = 0; k < sizeof front / sizeof *front; k++)
			write_made(out, &front[k]);
		archive_entry_set_pathname(entry, IN_A(STREAM_GONE));
		archive_entry_set_mode(entry, AE_IFREG | 0644);
		archive_entry_xattr_add_entry(entry, STREAM_MARK_GONE, "y", 1);
		archive_entry_set_size(entry, (la_int64_t)strlen(names[i]) + 1);
		assert_int_equal(archive_write_header(out, entry), ARCHIVE_OK);
		assert_true(archive_write_data(out, names[i], strlen(names[i]) + 1) > 0);
		archive_entry_free(entry);
		assert_int_equal(archive_write_free(out), ARCHIVE_OK);
		refused(&from_a, "has a name that");
		assert_true(exists("outside/victim"));
	}
}

static void test_other_dialects(void **state)
{
	struct archive *out = archive_write_new();
	const struct made front[] = { FRONT };

	(void)state;
	assert_int_equal(archive_write_set_format_gnutar(out), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(out, "s"), ARCHIVE_OK);
	write_made(out, &front[0]);
	assert_int_equal(archive_write_free(out), ARCHIVE_OK);
	refused(&layer_a, "not in pax format");
	out = archive_write_new();
	assert_int_equal(archive_write_set_format_cpio(out), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(out, "s"), ARCHIVE_OK);
	write_made(out, &front[0]);
	assert_int_equal(archive_write_free(out), ARCHIVE_OK);
	refused(&layer_a, "damaged or cut off");
	put_file("s", "this is no archive at all, however long one looks at it");
	refused(&layer_a, "damaged or cut off");
	put_file("s", "");
	refused(&layer_a, "damaged or cut off");
}

static void test_limit(void **state)
{
	(void)state;
	put_file("a/one", "");
	put_file("a/two", "");
	pack(TREE_A, true);
	refused(&(struct told){ .layer = A, .entries_max = 2 }, "one file too many");
	unpack(&(struct told){ .layer = A, .entries_max = 3 });
}

/* The first is one too many. */
static void test_many_layers(void **state)
{
	const struct made front[] = { FRONT };
	struct archive *out = archive_write_new();

	(void)state;
	assert_int_equal(archive_write_set_format_pax(out), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(out, "s"), ARCHIVE_OK);
	for (size_t i = 0; i < sizeof front / sizeof *front; i++)
		write_made(out, &front[i]);
	for (int i = 0; i < 100000; i++) {
		char name[64];

		snprintf(name, sizeof name, "layers/%032x/", i);
		write_made(out, &(const struct made){ name, AE_IFDIR });
	}
	assert_int_equal(archive_write_free(out), ARCHIVE_OK);
	refused(&layer_a, "nobody asked for");
}

/* ------------------------------------------------------------------------------------------- damaged streams */

/* Everything outside of "out" that an unpacked stream could have changed. */
static void check_outside(void)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(file_read(AT_FDCWD, "outside/victim", 100, &text, NULL), 0);
	assert_string_equal(text, "secret");
	assert_int_equal(tree_list_names(fd, &names), 0);
	for (size_t i = 0; i < names.count; i++) {
		static const char *const ours[] = { "a", "b", "gen", "out", "outside", "s", "t" };
		bool known = false;

		for (size_t k = 0; k < sizeof ours / sizeof *ours; k++)
			known |= text_equal(names.items[i], ours[k]);
		assert_true(known);
	}
}

static size_t load(char **ret_data)
{
	size_t length;

	assert_int_equal(file_read(AT_FDCWD, "s", 16 << 20, ret_data, &length), 0);
	return length;
}

static void store(const char *data, size_t length)
{
	CLEANUP_FD int fd = open("s", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0 && fd_write_all(fd, data, length) == 0);
}

/* A tree with one of everything, small enough to be damaged thousands of times. */
static void make_small_tree(void)
{
	assert_int_equal(mkdir("a/d", 0755), 0);
	put_file("a/d/f", "some text");
	assert_int_equal(link("a/d/f", "a/d/g"), 0);
	assert_int_equal(symlink("/nowhere", "a/link"), 0);
	assert_int_equal(mknod("a/whiteout", S_IFCHR, 0), 0);
	assert_int_equal(setxattr("a/d", "trusted.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(chown("a/d/f", 1000, 4000000), 0);
	put_file("a/holes", "x");
	assert_int_equal(truncate("a/holes", 5 << 20), 0);
	put_file("outside/victim", "secret");
}

static void test_cut_off(void **state)
{
	(void)state;
	make_small_tree();
	for (int plain = 0; plain < 2; plain++) {
		CLEANUP_FREE char *data = NULL;
		size_t length;

		pack(TREE_A, plain);
		length = load(&data);
		for (size_t cut = 0; cut < length; cut += plain ? 37 : 1) {
			store(data, cut);
			refused(&layer_a, "");
		}
		for (size_t cut = 1; cut <= 2048 && cut < length; cut += 13) {
			store(data, length - cut);
			refused(&layer_a, "");
		}
	}
	check_outside();
}

static void test_something_behind(void **state)
{
	(void)state;
	make_small_tree();
	for (int plain = 0; plain < 2; plain++) {
		static const size_t extras[] = { 1, 512, 1024, 10240, 1 << 20 };

		for (size_t i = 0; i < sizeof extras / sizeof *extras; i++) {
			CLEANUP_FREE char *data = NULL;
			CLEANUP_FREE char *longer = calloc(1, 2 << 20);
			size_t length;

			pack(TREE_A, plain);
			length = load(&data);
			memcpy(longer, data, length);
			store(longer, length + extras[i]);
			refused(&layer_a, "");
			memset(longer + length, 'x', extras[i]);
			store(longer, length + extras[i]);
			refused(&layer_a, "");
			memcpy(longer + length, data, length);
			store(longer, 2 * length);
			refused(&layer_a, "");
		}
	}
}

/* Every bit of the plain form counts; of the other one, some only say how it is compressed. */
static void test_flipped_bits(void **state)
{
	(void)state;
	make_small_tree();
	for (int plain = 0; plain < 2; plain++) {
		CLEANUP_FREE char *data = NULL;
		size_t length;

		pack(TREE_A, plain);
		length = load(&data);
		seed = 1;
		for (size_t at = 0; at < length; at += plain ? 1 + dice(9) : 1) {
			char flip = (char)(1 << dice(8));
			int r;

			data[at] ^= flip;
			store(data, length);
			r = unpack_file("s", &layer_a);
			if (r == 0 && plain)
				fail_msg("byte %zu was changed, and nobody saw it", at);
			if (r == 0)
				compare_trees("a", LAYER_A);
			data[at] ^= flip;
		}
	}
	check_outside();
}

/* Whole blocks changed places, came twice, went. */
static void test_moved_blocks(void **state)
{
	CLEANUP_FREE char *data = NULL;
	size_t length;

	(void)state;
	make_small_tree();
	pack(TREE_A, true);
	length = load(&data);
	seed = 1;
	for (int round = 0; round < 300; round++) {
		size_t from = dice((unsigned)(length / 512)) * 512, to = dice((unsigned)(length / 512)) * 512;
		CLEANUP_FREE char *changed = malloc(length);

		memcpy(changed, data, length);
		memcpy(changed + to, data + from, 512);
		if (memcmp(changed, data, length) == 0)
			continue;
		store(changed, length);
		refused(&layer_a, "");
	}
	check_outside();
}

/* A header that lies is given the checksum of a true one. */
static void correct_checksum(char *header)
{
	unsigned sum = 0;

	memset(header + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 8, "%06o", sum);
}

static void test_lying_headers(void **state)
{
	CLEANUP_FREE char *data = NULL;
	size_t length;

	(void)state;
	make_small_tree();
	pack(TREE_A, true);
	length = load(&data);
	seed = 1;
	for (int round = 0; round < 2000; round++) {
		CLEANUP_FREE char *changed = malloc(length);
		size_t block = dice((unsigned)(length / 512)) * 512;

		memcpy(changed, data, length);
		for (unsigned n = 1 + dice(3); n > 0; n--)
			changed[block + dice(512)] = (char)(dice(2) ? '0' + dice(8) : dice(256));
		if (memcmp(changed + block + 257, "ustar", 5) == 0)
			correct_checksum(changed + block);
		if (memcmp(changed, data, length) == 0)
			continue;
		store(changed, length);
		refused(&layer_a, "");
	}
	check_outside();
}

/* ------------------------------------------------------------------------------------------- the program */

static int text_fd(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	assert_true(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static int open_new(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* layerbox-stream COMMAND [ARGUMENT], with all its descriptors; what it wrote to them is in "stdout" and "t". */
static int run(const char *command, const char *argument, int in, const char *plan, int out)
{
	int third = plan ? text_fd(plan) : -1, words = open_new("t"), r;
	pid_t pid = fork_mortal();

	assert_true(pid >= 0);
	if (pid == 0) {
		char *const arguments[] = { program, (char *)(uintptr_t)command, (char *)(uintptr_t)argument, NULL };

		dup2(in, 0);
		dup2(out, 1);
		dup2(words, 2);
		if (third >= 0 && third != 3)
			dup2(third, 3);
		else if (third < 0)
			close(3);
		execv(program, arguments);
		_exit(99);
	}
	r = end_of(pid);
	close_fd(third);
	close_fd(in);
	close_fd(out);
	close_fd(words);
	return r;
}

static char *words(const char *file)
{
	char *text = NULL;

	assert_int_equal(file_read(AT_FDCWD, file, 4096, &text, NULL), 0);
	return text;
}

static int run_pack(const char *plan)
{
	return run("pack", NULL, text_fd(plan), NULL, open_new("s"));
}

static int run_unpack(const char *plan)
{
	assert_int_equal(tree_remove(AT_FDCWD, "out"), 0);
	assert_int_equal(mkdir("out", 0700), 0);
	return run("unpack", "out", open("s", O_RDONLY | O_CLOEXEC), plan, open_new("stdout"));
}

static void test_program(void **state)
{
	CLEANUP_FREE char *said = NULL;
	CLEANUP_FREE char *why = NULL;

	(void)state;
	make_random_tree("a b", 5);
	assert_int_equal(run_pack(HEAD "tree layers/" A " a\\040b\nend\n"), 0);
	assert_int_equal(run_unpack("layer " A "\nlimit entries 1000\ngo\n"), 0);
	said = words("stdout");
	assert_string_equal(said, "ready\n");
	compare_trees("a b", LAYER_A);
	assert_int_equal(run_unpack("go\n"), 3);
	why = words("t");
	assert_contains(why, "nobody asked for");
	assert_int_equal(run_unpack("layer " A "\n"), 1);
	assert_int_equal(run_unpack("layer x\ngo\n"), 1);
	assert_int_equal(run_unpack("layer " A " x\ngo\n"), 1);
	assert_int_equal(run_unpack(NULL), 1);
	assert_int_equal(run_pack(HEAD "tree layers/" A " missing\nend\n"), 1);
	assert_int_equal(run_pack(HEAD "tree layers/" A " a\\040b\n"), 1);
	assert_int_equal(run_pack("end"), 1);
	assert_int_equal(run_pack("file x 5\nabc\n"), 1);
	assert_int_equal(run_pack("file ../x 1\na\nend\n"), 1);
	assert_int_equal(run_pack("other\nend\n"), 1);
}

static void test_program_difference(void **state)
{
	char path[PATH_MAX];
	CLEANUP_FREE char *plan = NULL;

	(void)state;
	make_random_tree("a", 6);
	share_tree();
	seed = 6;
	change_randomly("b", 0);
	assert_non_null(realpath("a", path));
	plan = text_format("from " A " %s\ngo\n", path);
	assert_int_equal(run_pack(DIFFERENCE), 0);
	assert_int_equal(run_unpack(plan), 0);
	compare_trees("b", LAYER_A);
	free(plan);
	plan = text_format("from " A " %s/missing\ngo\n", path);
	assert_int_equal(run_unpack(plan), 1);
}

static void test_no_space(void **state)
{
	CLEANUP_FREE char *why = NULL;
	CLEANUP_FD int fd = open("a/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	for (int i = 0; i < 300; i++)
		assert_int_equal(write(fd, program, 4096), 4096);
	assert_int_equal(run_pack(TREE_A), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "out"), 0);
	assert_int_equal(mkdir("out", 0700), 0);
	assert_int_equal(mount("tmpfs", "out", "tmpfs", 0, "size=1m"), 0);
	assert_int_equal(run("unpack", "out", open("s", O_RDONLY | O_CLOEXEC), "layer " A "\ngo\n", open_new("stdout")),
			 2);
	why = words("t");
	assert_contains(why, "No space left");
	assert_int_equal(umount("out"), 0);
	/* And on the way out. */
	assert_int_equal(run("pack", NULL, text_fd(TREE_A), NULL, open("/dev/full", O_WRONLY | O_CLOEXEC)), 2);
}

static int begin(void **state)
{
	static const char *const names[] = { "a", "a b", "b", "c", "gen", "out", "outside", "s", "stdout", "t" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (tree_remove(AT_FDCWD, names[i]) < 0)
			return -1;
	need_root();
	return mkdir("a", 0755) < 0 || mkdir("b", 0755) < 0 || mkdir("outside", 0755) < 0 ? -1 : 0;
}

static int enter(void **state)
{
	umask(0);
	if (!realpath("layerbox-stream", program))
		return -1;
	return scratch_enter(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_random_trees, begin),
		cmocka_unit_test_setup(test_nothing_is_inherited, begin),
		cmocka_unit_test_setup(test_small_files, begin),
		cmocka_unit_test_setup(test_large_holes, begin),
		cmocka_unit_test_setup(test_many_holes, begin),
		cmocka_unit_test_setup(test_deep, begin),
		cmocka_unit_test_setup(test_names_in_order, begin),
		cmocka_unit_test_setup(test_left_out, begin),
		cmocka_unit_test_setup(test_privileged, begin),
		cmocka_unit_test_setup(test_base_and_two_layers, begin),
		cmocka_unit_test_setup(test_random_differences, begin),
		cmocka_unit_test_setup(test_difference_is_small, begin),
		cmocka_unit_test_setup(test_difference_of_links, begin),
		cmocka_unit_test_setup(test_difference_of_types, begin),
		cmocka_unit_test_setup(test_difference_of_directories, begin),
		cmocka_unit_test_setup(test_much_is_gone, begin),
		cmocka_unit_test_setup(test_difference_to_another_layer, begin),
		cmocka_unit_test_setup(test_hostile_names, begin),
		cmocka_unit_test_setup(test_hostile_order, begin),
		cmocka_unit_test_setup(test_hostile_small_files, begin),
		cmocka_unit_test_setup(test_hostile_links, begin),
		cmocka_unit_test_setup(test_hostile_base, begin),
		cmocka_unit_test_setup(test_hostile_attributes, begin),
		cmocka_unit_test_setup(test_hostile_differences, begin),
		cmocka_unit_test_setup(test_hostile_lists, begin),
		cmocka_unit_test_setup(test_other_dialects, begin),
		cmocka_unit_test_setup(test_limit, begin),
		cmocka_unit_test_setup(test_many_layers, begin),
		cmocka_unit_test_setup(test_cut_off, begin),
		cmocka_unit_test_setup(test_something_behind, begin),
		cmocka_unit_test_setup(test_flipped_bits, begin),
		cmocka_unit_test_setup(test_moved_blocks, begin),
		cmocka_unit_test_setup(test_lying_headers, begin),
		cmocka_unit_test_setup(test_program, begin),
		cmocka_unit_test_setup(test_program_difference, begin),
		cmocka_unit_test_setup(test_no_space, begin),
	};

	return cmocka_run_group_tests(tests, enter, scratch_leave);
}
