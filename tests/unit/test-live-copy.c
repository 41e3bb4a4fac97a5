/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Live copies: a tree that changes between passes and during them, on a disk, beside a previous layer. */
#include "unit.h"

#include <errno.h>
#include <linux/magic.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>

#include "../../liblayerbox/snapshot/layer.h"
#include "../../liblayerbox/snapshot/live-private.h"
#include "../../liblayerbox/util/file.h"

#define ORIGIN "trusted.overlay.origin"

enum { LINKS_MAX = 4096, FILE_BYTES = 300000, PAGE = 4096 };

static struct lb_context *context;

static int enter(void **state)
{
	if (scratch_enter(state) < 0)
		return -1;
	return lb_context_new(NULL, &context);
}

static int leave(void **state)
{
	lb_context_free(context);
	return scratch_leave(state);
}

/* ---- copies ---- */

static int open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void succeeded(int r)
{
	if (r != 0)
		fail_msg("%d: %s", r, lb_context_error(context));
}

/* Makes @layer, and begins a copy of source/ into it. */
static struct live_copy *begin(const char *layer, const char *previous)
{
	CLEANUP_FD int source = open_directory("source");
	CLEANUP_FD int before = previous ? open_directory(previous) : -1;
	CLEANUP_FD int target = -1;
	struct live_copy *copy;
	char path[64];

	assert_int_equal(mkdir(layer, 0700), 0);
	snprintf(path, sizeof path, "%s/" LAYER_TREE, layer);
	assert_int_equal(mkdir(path, 0700), 0);
	target = open_directory(path);
	succeeded(live_copy_begin(context, "c", source, target, before, &copy));
	return copy;
}

static struct live_copy_counts end(struct live_copy *copy, const char *layer)
{
	CLEANUP_FD int fd = open_directory(layer);
	struct live_copy_counts counts;

	succeeded(live_copy_pass(copy, true));
	succeeded(live_copy_finish(copy, fd));
	live_copy_get_counts(copy, &counts);
	live_copy_free(&copy);
	return counts;
}

static void remove_trees(void)
{
	static const char *const names[] = { "source", "layer", "layer-2", "layer-3", "outside" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(tree_remove(AT_FDCWD, names[i]), 0);
}

/* So long that what was written before is not hot any more, if there is no margin: the clock of inodes goes on. */
static void let_cool(void)
{
	struct timespec begun, now;

	clock_gettime(CLOCK_REALTIME, &begun);
	do {
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	} while (now.tv_sec < begun.tv_sec || (now.tv_sec == begun.tv_sec && now.tv_nsec <= begun.tv_nsec));
}

/* A directory on a disk instead of one in memory, where pages are never clean or dirty. Skips where there is none. */
static void go_to_disk(void)
{
	static char path[256];
	const char *tmp = getenv("TMPDIR");
	struct statfs fs;

	snprintf(path, sizeof path, "%s/layerbox-unit-disk.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(path));
	assert_int_equal(chdir(path), 0);
	if (statfs(".", &fs) == 0 && fs.f_type == TMPFS_MAGIC) {
		assert_int_equal(rmdir(path), 0);
		skip();
	}
}

static void come_from_disk(void **state)
{
	char path[256];

	assert_non_null(getcwd(path, sizeof path));
	remove_trees();
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(chdir(*state), 0);
}

/* ---- two trees, compared ---- */

struct comparison {
	ino_t first[LINKS_MAX], second[LINKS_MAX];
	size_t links, entries;
};

static void compare_content(int a_fd, int b_fd, const char *name, const char *path)
{
	static char a[FILE_BYTES], b[FILE_BYTES];
	CLEANUP_FD int first = openat(a_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_FD int second = openat(b_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	for (off_t at = 0;; at += FILE_BYTES) {
		ssize_t n = pread(first, a, sizeof a, at);

		assert_true(n >= 0);
		if (pread(second, b, sizeof b, at) != n || memcmp(a, b, (size_t)n) != 0)
			fail_msg("%s has other content", path);
		if (n == 0)
			break;
	}
}

static void compare_xattrs(int a_fd, int b_fd, const char *name, const char *path)
{
	char a[128], b[128], list[4096], other[4096], value[256], second[256];
	ssize_t n, m = 0;

	snprintf(a, sizeof a, "/proc/self/fd/%d/%s", a_fd, name);
	snprintf(b, sizeof b, "/proc/self/fd/%d/%s", b_fd, name);
	n = llistxattr(a, list, sizeof list);
	for (const char *key = list; key < list + n; key += strlen(key) + 1) {
		ssize_t length = lgetxattr(a, key, value, sizeof value);

		if (strcmp(key, ORIGIN) == 0)
			continue;
		if (lgetxattr(b, key, second, sizeof second) != length || memcmp(value, second, (size_t)length) != 0)
			fail_msg("%s has another %s", path, key);
		m += (ssize_t)strlen(key) + 1;
	}
	if (lgetxattr(b, ORIGIN, NULL, 0) == 0)
		m += (ssize_t)sizeof ORIGIN; /* there are whiteouts in it */
	if (llistxattr(b, other, sizeof other) != m)
		fail_msg("%s has more attributes than it should", path);
}

static void compare_links(struct comparison *comparison, const struct stat *a, const struct stat *b, const char *path)
{
	for (size_t i = 0; i < comparison->links; i++)
		if ((comparison->first[i] == a->st_ino) != (comparison->second[i] == b->st_ino))
			fail_msg("%s is a link to something else", path);
	assert_true(comparison->links < LINKS_MAX);
	comparison->first[comparison->links] = a->st_ino;
	comparison->second[comparison->links++] = b->st_ino;
}

static void compare_entry(struct comparison *comparison, int a_fd, int b_fd, const char *name, const char *path)
{
	char target[512], other[512];
	struct stat a, b;

	assert_int_equal(fstatat(a_fd, name, &a, AT_SYMLINK_NOFOLLOW), 0);
	if (fstatat(b_fd, name, &b, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("%s is missing", path);
	comparison->entries++;
	if (S_ISCHR(a.st_mode) && a.st_rdev == 0) {
		if (!S_ISCHR(b.st_mode) || b.st_rdev != 0)
			fail_msg("%s is no whiteout", path);
		return;
	}
	if (a.st_mode != b.st_mode || a.st_uid != b.st_uid || a.st_gid != b.st_gid || a.st_rdev != b.st_rdev)
		fail_msg("%s: mode, owner, device: %o %u %u, not %o %u %u", path, b.st_mode, b.st_uid, b.st_gid,
			 a.st_mode, a.st_uid, a.st_gid);
	if (a.st_mtim.tv_sec != b.st_mtim.tv_sec || a.st_mtim.tv_nsec != b.st_mtim.tv_nsec)
		fail_msg("%s has another time", path);
	if (!S_ISDIR(a.st_mode) && a.st_size != b.st_size)
		fail_msg("%s: %ld bytes, not %ld", path, (long)b.st_size, (long)a.st_size);
	if (a.st_size >= FILE_BYTES && a.st_blocks < 64 && b.st_blocks > 256)
		fail_msg("%s has lost its hole", path);
	compare_xattrs(a_fd, b_fd, name, path);
	if (S_ISREG(a.st_mode))
		compare_content(a_fd, b_fd, name, path);
	if (S_ISLNK(a.st_mode)) {
		ssize_t n = readlinkat(a_fd, name, target, sizeof target);

		assert_int_equal(readlinkat(b_fd, name, other, sizeof other), n);
		assert_memory_equal(target, other, (size_t)n);
	}
	if (!S_ISDIR(a.st_mode) && (a.st_nlink > 1 || comparison->links > 0))
		compare_links(comparison, &a, &b, path);
}

static void compare_below(struct comparison *comparison, int a_fd, int b_fd, const char *path)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_TEXT_LIST struct text_list others = { 0 };

	assert_int_equal(tree_list_names(a_fd, &names), 0);
	assert_int_equal(tree_list_names(b_fd, &others), 0);
	for (size_t i = 0; i < others.count; i++)
		if (!text_list_has_sorted(&names, others.items[i]))
			fail_msg("%s/%s should be gone", path, others.items[i]);
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP_FREE char *below = text_format("%s/%s", path, names.items[i]);
		CLEANUP_FD int a = -1;
		CLEANUP_FD int b = -1;

		compare_entry(comparison, a_fd, b_fd, names.items[i], below);
		a = openat(a_fd, names.items[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		b = openat(b_fd, names.items[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (a >= 0)
			compare_below(comparison, a, b, below);
	}
}

/* Returns how many entries there are. */
static size_t assert_alike(const char *layer)
{
	struct comparison *comparison = calloc(1, sizeof *comparison);
	CLEANUP_FREE char *tree = text_format("%s/" LAYER_TREE, layer);
	CLEANUP_FD int source = open_directory("source");
	CLEANUP_FD int copy = open_directory(tree);
	size_t entries;

	compare_entry(comparison, source, copy, ".", ".");
	compare_below(comparison, source, copy, ".");
	entries = comparison->entries - 1;
	free(comparison);
	return entries;
}

/* ---- a tree that somebody works in ---- */

static unsigned long long seed = 1;

static unsigned pick(unsigned count)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % count;
}

static int somewhere(void)
{
	static const char *const names[] = { "a", "b", "c\n\xff\x01", "d" };
	int fd = open("source", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (unsigned depth = pick(4); depth > 0; depth--) {
		int below = openat(fd, names[pick(4)], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (below < 0)
			break;
		close(fd);
		fd = below;
	}
	return fd;
}

static void write_file(int dir_fd, const char *name, bool sparse)
{
	static char data[70000];
	CLEANUP_FD int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	size_t length = pick(4) ? pick(200) : pick(sizeof data);

	for (size_t i = 0; i < length; i++)
		data[i] = (char)pick(256);
	if (fd < 0)
		return;
	if (sparse)
		(void)!ftruncate(fd, FILE_BYTES * 3);
	(void)!pwrite(fd, data, length, sparse ? FILE_BYTES : pick(2) ? 0 : pick(1000));
}

static void write_mapped(int dir_fd, const char *name)
{
	CLEANUP_FD int fd = openat(dir_fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	char *data;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0 || !S_ISREG(st.st_mode))
		return;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return;
	data[0]++;
	munmap(data, (size_t)st.st_size);
}

static void set_attribute(int dir_fd, const char *name)
{
	static const char *const keys[] = { "trusted.x", "trusted.overlay.opaque", "trusted.overlay.origin",
					    "trusted.y" };
	const struct timespec times[] = { { .tv_sec = pick(1000) }, { .tv_sec = pick(1000), .tv_nsec = pick(1000) } };
	char path[64], value = (char)('a' + pick(20));

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir_fd, name);
	switch (pick(5)) {
	case 0:
		fchmodat(dir_fd, name, pick(010000), AT_SYMLINK_NOFOLLOW);
		break;
	case 1:
		(void)!fchownat(dir_fd, name, pick(10), pick(10), AT_SYMLINK_NOFOLLOW);
		break;
	case 2:
		utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW);
		break;
	case 3:
		lsetxattr(path, keys[pick(4)], &value, 1, 0);
		break;
	default:
		lremovexattr(path, keys[pick(4)]);
	}
}

static void mutate_once(void)
{
	static const char *const names[] = { "a", "b", "c\n\xff\x01", "d", "e", "f", "g", "h", "i", "j", "k" };
	CLEANUP_FD int fd = somewhere();
	CLEANUP_FD int other = somewhere();
	const char *name = names[pick(11)], *second = names[pick(11)];

	switch (pick(20)) {
	case 0:
	case 1:
		mkdirat(fd, names[pick(4)], 0755);
		break;
	case 2:
		unlinkat(fd, name, 0);
		break;
	case 3:
		if (pick(4) == 0)
			tree_remove(fd, names[pick(4)]);
		break;
	case 4:
		renameat(fd, name, other, second);
		break;
	case 5:
	case 6:
		linkat(fd, name, other, second, 0);
		break;
	case 7:
		(void)!symlinkat(pick(2) ? "/etc" : "../../outside", fd, name);
		break;
	case 8:
		mknodat(fd, name, S_IFCHR, 0);
		break;
	case 9:
		mknodat(fd, name, (pick(2) ? S_IFIFO : S_IFSOCK) | 0600, 0);
		break;
	case 10:
		mknodat(fd, name, S_IFBLK | 0600, makedev(7, pick(5)));
		break;
	case 11:
		write_file(fd, name, true);
		break;
	case 12:
		write_mapped(fd, name);
		break;
	case 13:
	case 14:
	case 15:
		set_attribute(fd, name);
		break;
	default:
		write_file(fd, name, false);
	}
}

static void mutate(unsigned count)
{
	for (; count > 0; count--)
		mutate_once();
}

/* ---- tests ---- */

static void test_everything(void **state)
{
	struct live_copy_counts counts;
	struct live_copy *copy;
	struct stat st;

	(void)state;
	need_root();
	assert_int_equal(mkdir("source", 0755), 0);
	assert_int_equal(mkdir("source/dir", 02750), 0);
	assert_int_equal(setxattr("source/dir", "trusted.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(setxattr("source/dir", ORIGIN, "y", 1, 0), 0);
	assert_int_equal(setxattr("source", "trusted.x", "root", 4, 0), 0);
	put_file("source/dir/file", "content");
	assert_int_equal(link("source/dir/file", "source/link"), 0);
	assert_int_equal(mknod("source/whiteout", S_IFCHR, 0), 0);
	assert_int_equal(link("source/whiteout", "source/dir/whiteout"), 0);
	assert_int_equal(mknod("source/socket", S_IFSOCK | 0600, 0), 0);
	assert_int_equal(mkfifo("source/fifo", 0604), 0);
	assert_int_equal(symlink("/nowhere", "source/symlink"), 0);
	copy = begin("layer", NULL);
	succeeded(live_copy_pass(copy, false));
	put_file("source/dir/new", "new");
	assert_int_equal(unlink("source/symlink"), 0);
	counts = end(copy, "layer");
	assert_int_equal(assert_alike("layer"), 8);
	assert_int_equal(counts.entries, 8);
	assert_int_equal(counts.linked, 0);
	assert_true(counts.copied >= 9);
	assert_true(counts.last_pass >= 2);
	assert_true(counts.last_pass_bytes >= 3);
	assert_int_equal(lstat("layer/" LAYER_TREE "/whiteout", &st), 0);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(getxattr("layer/" LAYER_TREE "/dir", ORIGIN, NULL, 0), 0);
	assert_int_equal(getxattr("layer/" LAYER_TREE, ORIGIN, NULL, 0), -1);
	remove_trees();
}

/* A renamed directory takes the names in it along, and nothing shows on the files: the name that stays has the copy. */
static void test_moved_links(void **state)
{
	struct live_copy *copy;

	(void)state;
	assert_int_equal(mkdir("source", 0755), 0);
	assert_int_equal(mkdir("source/b", 0755), 0);
	put_file("source/b/name", "content");
	assert_int_equal(link("source/b/name", "source/a"), 0);
	assert_int_equal(link("source/b/name", "source/z"), 0);
	let_cool();
	copy = begin("layer", NULL);
	copy->hot_margin_ns = 0;
	succeeded(live_copy_pass(copy, false));
	assert_int_equal(rename("source/b", "source/c"), 0);
	assert_int_equal(mkdir("source/b", 0755), 0);
	end(copy, "layer");
	assert_alike("layer");
	remove_trees();
}

/* A default ACL must not come upon what is made in the copy's directory. */
static void test_default_acl(void **state)
{
	static const unsigned char acl[] = {
		2, 0, 0, 0,
		1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,
		2, 0, 4, 0, 0xe8, 3, 0, 0,
		4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
		16, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
		32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
	};
	struct live_copy *copy;

	(void)state;
	assert_int_equal(mkdir("source", 0755), 0);
	assert_int_equal(mkdir("source/dir", 0755), 0);
	put_file("source/dir/before", "");
	assert_int_equal(setxattr("source/dir", "system.posix_acl_default", acl, sizeof acl, 0), 0);
	put_file("source/dir/after", "");
	copy = begin("layer", NULL);
	succeeded(live_copy_pass(copy, false));
	put_file("source/dir/before", "changed");
	assert_int_equal(removexattr("source/dir/after", "system.posix_acl_access"), 0);
	end(copy, "layer");
	assert_alike("layer");
	remove_trees();
}

static void test_random(void **state)
{
	(void)state;
	need_root();
	for (unsigned round = 1; round <= 60; round++) {
		struct live_copy_counts counts;
		struct live_copy *copy;

		seed = round;
		assert_int_equal(mkdir("source", 0755), 0);
		mutate(400);
		let_cool();
		copy = begin("layer", NULL);
		copy->hot_margin_ns = 0;
		for (unsigned passes = 1 + pick(3); passes > 0; passes--) {
			succeeded(live_copy_pass(copy, false));
			mutate(pick(60));
			if (pick(2))
				let_cool();
		}
		counts = end(copy, "layer");
		assert_int_equal(counts.entries, assert_alike("layer"));
		mutate(pick(60));
		if (pick(2))
			let_cool();
		copy = begin("layer-2", "layer");
		copy->hot_margin_ns = 0;
		succeeded(live_copy_pass(copy, false));
		mutate(pick(60));
		end(copy, "layer-2");
		assert_alike("layer-2");
		copy = begin("layer-3", "layer-2");
		end(copy, "layer-3");
		assert_alike("layer-3");
		remove_trees();
	}
}

/* What is as it was is a link to the layer before; what was copied when no page was clean is not. */
static void test_previous(void **state)
{
	static const char *const kept[] = { "dir/kept", "link", "symlink", "fifo" };
	static const char *const copied[] = { "changed", "hot" };
	struct live_copy_counts counts;
	struct live_states *states;
	struct live_copy *copy;
	struct stat a, b;
	int layer, source;

	(void)state;
	assert_int_equal(mkdir("source", 0755), 0);
	assert_int_equal(mkdir("source/dir", 0755), 0);
	put_file("source/dir/kept", "content");
	assert_int_equal(link("source/dir/kept", "source/link"), 0);
	put_file("source/changed", "content");
	put_file("source/hot", "content");
	assert_int_equal(symlink("x", "source/symlink"), 0);
	assert_int_equal(mkfifo("source/fifo", 0600), 0);
	let_cool();
	copy = begin("layer", NULL);
	copy->hot_margin_ns = 0;
	succeeded(live_copy_pass(copy, false));
	put_file("source/hot", "different");
	end(copy, "layer");
	put_file("source/changed", "another");
	copy = begin("layer-2", "layer");
	succeeded(live_copy_pass(copy, false));
	counts = end(copy, "layer-2");
	assert_alike("layer-2");
	assert_int_equal(counts.linked, 4);
	for (size_t i = 0; i < 6; i++) {
		const char *name = i < 4 ? kept[i] : copied[i - 4];
		CLEANUP_FREE char *before = text_format("layer/" LAYER_TREE "/%s", name);
		CLEANUP_FREE char *after = text_format("layer-2/" LAYER_TREE "/%s", name);

		assert_int_equal(lstat(before, &a), 0);
		assert_int_equal(lstat(after, &b), 0);
		assert_int_equal(a.st_ino == b.st_ino, i < 4);
	}
	layer = open_directory("layer");
	source = open_directory("source");
	assert_int_equal(live_states_load(context, layer, &states), 0);
	assert_true(live_states_same(states, "link", source, "link"));
	assert_true(live_states_same(states, "./dir//kept", source, "dir/kept"));
	assert_true(live_states_same(states, "dir", source, "dir"));
	assert_false(live_states_same(states, "changed", source, "changed"));
	assert_false(live_states_same(states, "hot", source, "hot"));
	assert_false(live_states_same(states, "none", source, "link"));
	assert_false(live_states_same(states, "link/kept", source, "link"));
	assert_false(live_states_same(states, "link", source, "none"));
	live_states_free(&states);
	close(layer);
	close(source);
	remove_trees();
}

/* Only from a previous layer whose states can be read; and no number in them is believed. */
static void test_damaged_states(void **state)
{
	CLEANUP_FREE char *data = NULL;
	struct live_states *states;
	struct live_copy *copy;
	size_t length;
	int layer;

	(void)state;
	assert_int_equal(mkdir("source", 0755), 0);
	assert_int_equal(mkdir("source/dir", 0755), 0);
	put_file("source/dir/file", "");
	put_file("source/file", "");
	copy = begin("layer", NULL);
	succeeded(live_copy_pass(copy, false));
	end(copy, "layer");
	layer = open_directory("layer");
	assert_int_equal(file_read(layer, LAYER_SOURCE, 1 << 20, &data, &length), 0);
	for (size_t i = 0; i < 20000; i++) {
		CLEANUP_FREE char *broken = malloc(length);
		size_t cut = i % 4 ? length : pick((unsigned)length);

		memcpy(broken, data, length);
		for (unsigned flips = 1 + pick(3); flips > 0; flips--)
			broken[pick((unsigned)length)] = (char)(pick(2) ? 0xff : pick(256));
		assert_int_equal(file_write(layer, LAYER_SOURCE, broken, cut, 0600, FILE_LAZY), 0);
		if (live_states_load(context, layer, &states) != 0)
			continue;
		live_states_same(states, "dir/file", AT_FDCWD, "source/dir/file");
		live_states_same(states, "dir/other", AT_FDCWD, "source/dir/file");
		live_states_same(states, "file", AT_FDCWD, "source/file");
		live_states_free(&states);
	}
	assert_int_equal(file_write(layer, LAYER_SOURCE, "nonsense", 8, 0600, FILE_LAZY), 0);
	assert_int_equal(live_states_load(context, layer, &states), 1);
	copy = begin("layer-2", "layer");
	assert_int_equal(end(copy, "layer-2").linked, 0);
	assert_alike("layer-2");
	assert_int_equal(unlinkat(layer, LAYER_SOURCE, 0), 0);
	assert_int_equal(live_states_load(context, layer, &states), 1);
	copy = begin("layer-3", "layer");
	assert_int_equal(end(copy, "layer-3").linked, 0);
	close(layer);
	remove_trees();
}

/* Without any other change than through a mapping; which is seen because a pass begins with clean pages. */
static void test_mapped(void **state)
{
	struct live_copy *copy;
	char *data;
	int fd;

	go_to_disk();
	assert_int_equal(mkdir("source", 0755), 0);
	put_file("source/mapped", "00000000");
	fd = open("source/mapped", O_RDWR | O_CLOEXEC);
	data = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(data != MAP_FAILED);
	data[0] = '1';
	let_cool();
	copy = begin("layer", NULL);
	copy->hot_margin_ns = 0;
	succeeded(live_copy_pass(copy, false));
	data[0] = '2';
	end(copy, "layer");
	assert_alike("layer");
	/* It was copied with a dirty page: that it has no other state says nothing. */
	data[1] = '3';
	copy = begin("layer-2", "layer");
	end(copy, "layer-2");
	assert_alike("layer-2");
	munmap(data, 8);
	close(fd);
	come_from_disk(state);
}

static atomic_bool stopped;

static void *write_on(void *data)
{
	volatile char *byte = data;

	while (!stopped)
		(*byte)++;
	return NULL;
}

/* A page that became dirty again behind the syncfs(2) is written to later without a sign. */
static void test_hot(void **state)
{
	struct live_copy *copy;
	pthread_t thread;
	char *data;
	int fd;

	go_to_disk();
	assert_int_equal(mkdir("source", 0755), 0);
	put_file("source/mapped", "00000000");
	fd = open("source/mapped", O_RDWR | O_CLOEXEC);
	data = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(data != MAP_FAILED);
	for (unsigned round = 0; round < 10; round++) {
		let_cool();
		stopped = false;
		assert_int_equal(pthread_create(&thread, NULL, write_on, data), 0);
		copy = begin("layer", NULL);
		copy->hot_margin_ns = 0;
		succeeded(live_copy_pass(copy, false));
		stopped = true;
		pthread_join(thread, NULL);
		data[1]++;
		end(copy, "layer");
		assert_alike("layer");
		assert_int_equal(tree_remove(AT_FDCWD, "layer"), 0);
	}
	munmap(data, 8);
	close(fd);
	come_from_disk(state);
}

/* A write whose data do not come until the page they are in is there: it says so, and waits. */
struct stalled {
	int fd, faults_fd;
	char *page;
	pthread_t thread;
};

static void *write_page(void *data)
{
	struct stalled *stalled = data;

	return pwrite(stalled->fd, stalled->page, PAGE, 0) == PAGE ? data : NULL;
}

/* Skips where a program may not do so. */
static void begin_write(struct stalled *stalled)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffd_msg fault;

	stalled->faults_fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	stalled->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)stalled->page;
	range.range.len = PAGE;
	if (stalled->faults_fd < 0 || ioctl(stalled->faults_fd, UFFDIO_API, &api) < 0 ||
	    ioctl(stalled->faults_fd, UFFDIO_REGISTER, &range) < 0)
		skip();
	assert_int_equal(pthread_create(&stalled->thread, NULL, write_page, stalled), 0);
	assert_int_equal(read(stalled->faults_fd, &fault, sizeof fault), (ssize_t)sizeof fault);
}

static void let_write(struct stalled *stalled)
{
	static char text[PAGE] __attribute__((aligned(PAGE))) = "new";
	struct uffdio_copy copy = { .dst = (uintptr_t)stalled->page, .src = (uintptr_t)text, .len = PAGE };
	void *done;

	assert_int_equal(ioctl(stalled->faults_fd, UFFDIO_COPY, &copy), 0);
	assert_int_equal(pthread_join(stalled->thread, &done), 0);
	assert_non_null(done);
	close(stalled->faults_fd);
	munmap(stalled->page, PAGE);
}

/* It sets the ctime when it begins; so what is copied then has the ctime that it has when the data are there. */
static void test_direct_write(void **state)
{
	static char text[PAGE] = "old";
	struct stalled stalled;
	struct stat before, after;
	struct live_copy *copy;

	need_root();
	go_to_disk();
	assert_int_equal(mkdir("source", 0755), 0);
	stalled.fd = open("source/database", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(stalled.fd, text, PAGE), PAGE);
	assert_int_equal(fsync(stalled.fd), 0);
	if (fcntl(stalled.fd, F_SETFL, O_DIRECT) < 0)
		skip();
	let_cool();
	begin_write(&stalled);
	assert_int_equal(stat("source/database", &before), 0);
	let_cool();
	copy = begin("layer", NULL);
	copy->hot_margin_ns = 0;
	succeeded(live_copy_pass(copy, false));
	let_write(&stalled);
	assert_int_equal(stat("source/database", &after), 0);
	assert_int_equal(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
	end(copy, "layer");
	assert_alike("layer");
	close(stalled.fd);
	come_from_disk(state);
}

/* What nobody has open is not copied again, or what was unpacked a moment ago would be copied while all is frozen. */
static void test_no_writer(void **state)
{
	struct live_copy *copy;
	int fd;

	go_to_disk();
	assert_int_equal(mkdir("source", 0755), 0);
	put_file("source/closed", "12345");
	put_file("source/open", "123");
	fd = open("source/open", O_WRONLY | O_CLOEXEC);
	let_cool();
	copy = begin("layer", NULL);
	copy->hot_margin_ns = 0;
	succeeded(live_copy_pass(copy, false));
	assert_int_equal(end(copy, "layer").last_pass_bytes, 3);
	close(fd);
	come_from_disk(state);
}

/* What has the clock of tomorrow is not copied again in every pass. */
static void test_future(void **state)
{
	struct stat st = { 0 };
	struct live_copy copy = { .hot_margin_ns = 0 };

	(void)state;
	clock_gettime(CLOCK_REALTIME, &copy.hot_since);
	st.st_ctim = copy.hot_since;
	assert_true(live_is_hot(&copy, &st));
	st.st_ctim.tv_sec += 86400;
	assert_false(live_is_hot(&copy, &st));
	st.st_ctim.tv_sec -= 2 * 86400;
	assert_false(live_is_hot(&copy, &st));
	copy.last = true;
	assert_true(live_is_hot(&copy, &st));
}

static void *work_on(void *data)
{
	(void)data;
	while (!stopped)
		mutate_once();
	return NULL;
}

static void test_races(void **state)
{
	const time_t until = time(NULL) + 4;
	struct live_copy *copy;
	pthread_t thread;

	go_to_disk();
	assert_int_equal(mkdir("outside", 0755), 0);
	for (seed = 4711; time(NULL) < until;) {
		assert_int_equal(mkdir("source", 0755), 0);
		mutate(500);
		stopped = false;
		assert_int_equal(pthread_create(&thread, NULL, work_on, NULL), 0);
		copy = begin("layer", NULL);
		for (unsigned passes = 0; passes < 3; passes++)
			succeeded(live_copy_pass(copy, false));
		stopped = true;
		pthread_join(thread, NULL);
		end(copy, "layer");
		assert_alike("layer");
		assert_int_equal(tree_remove(AT_FDCWD, "source"), 0);
		assert_int_equal(tree_remove(AT_FDCWD, "layer"), 0);
	}
	come_from_disk(state);
}

/* Where copies and the previous layer's together have more links than the file system has room for. */
static void test_many_links(void **state)
{
	enum { NAMES = 33000 };
	struct live_copy *copy;
	struct stat a, b;
	char path[64];

	go_to_disk();
	assert_int_equal(mkdir("source", 0755), 0);
	put_file("source/name", "content");
	for (unsigned i = 1; i < NAMES; i++) {
		snprintf(path, sizeof path, "source/%u", i);
		assert_int_equal(link("source/name", path), 0);
	}
	let_cool();
	copy = begin("layer", NULL);
	copy->hot_margin_ns = 0;
	succeeded(live_copy_pass(copy, false));
	end(copy, "layer");
	copy = begin("layer-2", "layer");
	end(copy, "layer-2");
	assert_int_equal(stat("layer/" LAYER_TREE "/name", &a), 0);
	assert_int_equal(stat("layer-2/" LAYER_TREE "/name", &b), 0);
	assert_int_equal(b.st_nlink, NAMES * (1 + (a.st_ino == b.st_ino)));
	come_from_disk(state);
}

/* A path that no program could open is refused, with all others for as long as they fit. */
static void test_depth(void **state)
{
	const char name[] = "a-directory-with-a-name-that-is-rather-long-so-that-paths-are-too";
	CLEANUP_FD int fd = -1;
	struct live_copy *copy;
	int below, depth;

	(void)state;
	assert_int_equal(mkdir("source", 0755), 0);
	fd = open_directory("source");
	for (depth = 0; depth < 60; depth++) {
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = below;
	}
	copy = begin("layer", NULL);
	succeeded(live_copy_pass(copy, false));
	assert_int_equal(end(copy, "layer").entries, 60);
	for (; depth < 70; depth++) {
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = below;
	}
	copy = begin("layer-2", NULL);
	assert_int_equal(live_copy_pass(copy, false), -ENAMETOOLONG);
	assert_contains(lb_context_error(context), "container 'c'");
	assert_int_equal(live_copy_pass(copy, true), -ENAMETOOLONG);
	live_copy_free(&copy);
	remove_trees();
}

/* No other file system is entered. */
static void test_mount(void **state)
{
	struct live_copy *copy;

	(void)state;
	need_root();
	assert_int_equal(mkdir("source", 0755), 0);
	assert_int_equal(mkdir("source/mount", 0755), 0);
	copy = begin("layer", NULL);
	succeeded(live_copy_pass(copy, false));
	assert_int_equal(mount("none", "source/mount", "tmpfs", 0, NULL), 0);
	assert_int_equal(live_copy_pass(copy, true), -EBUSY);
	assert_contains(lb_context_error(context), "something is mounted on /mount");
	assert_int_equal(umount("source/mount"), 0);
	live_copy_free(&copy);
	remove_trees();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),  cmocka_unit_test(test_default_acl),
		cmocka_unit_test(test_moved_links), cmocka_unit_test(test_random),
		cmocka_unit_test(test_previous),    cmocka_unit_test(test_damaged_states),
		cmocka_unit_test(test_mapped),      cmocka_unit_test(test_hot),
		cmocka_unit_test(test_direct_write), cmocka_unit_test(test_no_writer),
		cmocka_unit_test(test_future),      cmocka_unit_test(test_races),
		cmocka_unit_test(test_many_links),  cmocka_unit_test(test_depth),
		cmocka_unit_test(test_mount),
	};

	return cmocka_run_group_tests_name("live-copy", tests, enter, leave);
}
