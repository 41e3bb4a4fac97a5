/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Layers merged: each rule by hand, and all of them at random, where the kernel says what is right: what it shows
 * through an overlay of the layers is compared with what it shows through one of the merged layer.
 */
#include "unit.h"

#include <errno.h>
#include <ftw.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>

#include "../../liblayerbox/snapshot/merge.h"
#include "../../liblayerbox/util/cleanup.h"
#include "../property/compare.h"
#include "../property/operations.h"

enum { LAYERS_MAX = 9 };

#define OPTIONS "index=off,metacopy=off,redirect_dir=off"

static struct lb_context *ctx;

/* ---- a file system whose files take few links ---- */

static nlink_t links_max;

int __real_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags);
int __wrap_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags);

int __wrap_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	struct stat st;

	if (links_max > 0 && fstatat(from_fd, from, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink >= links_max) {
		errno = EMLINK;
		return -1;
	}
	return __real_linkat(from_fd, from, to_fd, to, flags);
}

/* ---- trees by hand ---- */

static void put(const char *path, const char *text)
{
	char directory[256];

	snprintf(directory, sizeof directory, "%s", path);
	*strrchr(directory, '/') = '\0';
	assert_true(tree_make_directories(AT_FDCWD, directory, 0755) >= 0);
	put_file(path, text);
}

static void put_whiteout(const char *path)
{
	char directory[256];

	snprintf(directory, sizeof directory, "%s", path);
	*strrchr(directory, '/') = '\0';
	assert_true(tree_make_directories(AT_FDCWD, directory, 0755) >= 0);
	assert_int_equal(mknod(path, S_IFCHR, makedev(0, 0)), 0);
}

static void mark_opaque(const char *path)
{
	assert_int_equal(setxattr(path, "trusted.overlay.opaque", "y", 1, 0), 0);
}

static bool is_opaque(const char *path)
{
	char value = '\0';

	return lgetxattr(path, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

static bool has_xattr(const char *path, const char *name)
{
	return lgetxattr(path, name, NULL, 0) >= 0;
}

static struct stat stat_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st;
}

static bool same_inode(const char *a, const char *b)
{
	return stat_of(a).st_ino == stat_of(b).st_ino;
}

static bool is_whiteout(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

static bool is_text(const char *path, const char *text)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char content[64] = "";

	return fd >= 0 && read(fd, content, sizeof content - 1) >= 0 && strcmp(content, text) == 0;
}

static int open_tree_at(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		fail_msg("cannot open %s: %s", path, strerror(errno));
	return fd;
}

/* Merges @trees, topmost first, into `out`; those whose bit is set in @copies by copies. */
static int merge(const char *const *trees, size_t count, unsigned copies)
{
	struct merge_layer layers[LAYERS_MAX];
	int out, r;

	assert_int_equal(mkdir("out", 0700), 0);
	out = open_tree_at("out");
	for (size_t i = 0; i < count; i++)
		layers[i] = (struct merge_layer){ .fd = open_tree_at(trees[i]), .copy = copies & 1U << i };
	r = layers_merge(ctx, layers, count, out);
	for (size_t i = 0; i < count; i++)
		close(layers[i].fd);
	close(out);
	return r;
}

#define MERGE(copies, ...) \
	merge((const char *const[]){ __VA_ARGS__ }, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *), copies)

static int begin(void **state)
{
	static const char *const trees[] = { "a", "b", "out", "base", "odd", "bare", "work", NULL };

	(void)state;
	need_root();
	links_max = 0;
	umount2("a", MNT_DETACH);
	umount2("b", MNT_DETACH);
	for (unsigned i = 0; i < LAYERS_MAX; i++) {
		char layer[16];

		snprintf(layer, sizeof layer, "l%u", i);
		if (tree_remove(AT_FDCWD, layer) < 0)
			return -1;
	}
	for (const char *const *tree = trees; *tree; tree++)
		if (tree_remove(AT_FDCWD, *tree) < 0)
			return -1;
	return 0;
}

/* ---- the rules ---- */

static void test_files(void **state)
{
	(void)state;
	put("l1/both", "upper");
	put("l0/both", "lower");
	put("l1/d/upper", "u");
	put("l0/d/lower", "l");
	put("l0/e/f/deep", "deep");
	assert_int_equal(symlink("/nowhere", "l0/link") | mkfifo("l0/fifo", 0600), 0);
	assert_int_equal(mknod("l0/device", S_IFCHR | 0600, makedev(1, 3)), 0);
	assert_int_equal(MERGE(0, "l1", "l0"), 0);
	assert_true(same_inode("out/both", "l1/both") && same_inode("out/d/upper", "l1/d/upper"));
	assert_true(same_inode("out/d/lower", "l0/d/lower") && same_inode("out/e/f/deep", "l0/e/f/deep"));
	assert_true(same_inode("out/link", "l0/link") && same_inode("out/fifo", "l0/fifo"));
	assert_true(same_inode("out/device", "l0/device"));
	assert_true(is_text("l0/both", "lower"));
}

static void test_whiteouts(void **state)
{
	(void)state;
	put("l2/again", "new");
	put_whiteout("l1/again");
	put("l0/again", "old");
	put_whiteout("l1/gone");
	put("l0/gone", "old");
	put_whiteout("l2/tree");
	put("l1/tree/file", "x");
	put_whiteout("l0/of-the-base");
	assert_int_equal(MERGE(0, "l2", "l1", "l0"), 0);
	assert_true(is_text("out/again", "new"));
	assert_true(is_whiteout("out/gone") && is_whiteout("out/tree") && is_whiteout("out/of-the-base"));
	assert_true(same_inode("out/gone", "l1/gone") && same_inode("out/of-the-base", "l0/of-the-base"));
}

static void test_opaque(void **state)
{
	(void)state;
	put("l2/d/new", "n");
	put("l1/d/middle", "m");
	mark_opaque("l1/d");
	put("l0/d/hidden", "h");
	put("l1/was-file/in", "i");
	put("l0/was-file", "f");
	put("l1/was-gone/in", "i");
	put_whiteout("l0/was-gone");
	put("l1/plain/in", "i");
	put("l0/plain/too", "t");
	put_whiteout("l2/d/sub/white"); /* it hides something of l1's alone, */
	put("l1/d/sub/white", "w");
	put_whiteout("l1/d/white");     /* and this nothing at all */
	put_whiteout("l2/plain/white");
	mark_opaque("l1");              /* which says nothing there */
	assert_int_equal(MERGE(0, "l2", "l1", "l0"), 0);
	assert_true(is_opaque("out/d") && is_opaque("out/was-file") && is_opaque("out/was-gone"));
	assert_false(is_opaque("out/plain") || is_opaque("out") || is_opaque("out/d/sub"));
	assert_true(exists("out/d/new") && exists("out/d/middle") && exists("out/plain/too"));
	assert_false(exists("out/d/hidden") || exists("out/d/white") || exists("out/d/sub/white"));
	assert_true(is_whiteout("out/plain/white") && has_xattr("out/plain", "trusted.overlay.origin"));
	assert_false(has_xattr("out/d", "trusted.overlay.origin"));
	assert_false(has_xattr("out/was-gone", "trusted.overlay.origin"));
}

static void test_attributes(void **state)
{
	const struct timespec times[] = { { .tv_sec = 12, .tv_nsec = 34 }, { .tv_sec = 56, .tv_nsec = 78 } };

	(void)state;
	put("l1/d/upper", "u");
	put("l0/d/lower", "l");
	put("l0/e/lower", "l");
	assert_int_equal(chown("l1/d", 5, 6) | chmod("l1/d", 03750) | chmod("l0/d", 0700) | chmod("l0/e", 0711), 0);
	assert_int_equal(setxattr("l1/d", "trusted.mine", "v", 1, 0) | setxattr("l0/d", "trusted.lower", "v", 1, 0), 0);
	assert_int_equal(setxattr("l1/d", "trusted.overlay.origin", "old", 3, 0), 0);
	assert_int_equal(setxattr("l1/d", "trusted.overlay.impure", "y", 1, 0), 0);
	assert_int_equal(chmod("l1", 0751) | chmod("l0", 0700) | chown("l1", 7, 8), 0);
	assert_int_equal(utimensat(AT_FDCWD, "l1/d", times, 0) | utimensat(AT_FDCWD, "l1", times, 0), 0);
	assert_int_equal(MERGE(0, "l1", "l0"), 0);
	assert_int_equal(stat_of("out/d").st_mode & 07777, 03750);
	assert_true(stat_of("out/d").st_uid == 5 && stat_of("out/d").st_gid == 6);
	assert_true(stat_of("out/d").st_mtim.tv_sec == 56 && stat_of("out/d").st_mtim.tv_nsec == 78);
	assert_int_equal(stat_of("out/e").st_mode & 07777, 0711);
	assert_true(has_xattr("out/d", "trusted.mine") && !has_xattr("out/d", "trusted.lower"));
	assert_false(has_xattr("out/d", "trusted.overlay.origin") || has_xattr("out/d", "trusted.overlay.impure"));
	assert_int_equal(stat_of("out").st_mode & 07777, 0751);
	assert_true(stat_of("out").st_uid == 7 && stat_of("out").st_gid == 8 && stat_of("out").st_mtim.tv_sec == 56);
}

static void test_copies(void **state)
{
	(void)state;
	put("l1/own", "own");
	put("l0/a", "linked");
	put("l0/other/c", "alone");
	assert_int_equal(link("l0/a", "l0/other/b") | link("l0/a", "l0/z"), 0);
	put_whiteout("l0/w1");
	assert_int_equal(link("l0/w1", "l0/w2") | chmod("l0/a", 04711) | chown("l0/other/c", 3, 4), 0);
	assert_int_equal(MERGE(2, "l1", "l0"), 0);
	assert_true(same_inode("out/own", "l1/own"));
	assert_true(is_text("out/a", "linked") && same_inode("out/a", "out/other/b") && same_inode("out/a", "out/z"));
	assert_false(same_inode("out/a", "l0/a") || same_inode("out/other/c", "l0/other/c"));
	assert_int_equal(stat_of("out/a").st_nlink, 3);
	assert_int_equal(stat_of("out/a").st_mode & 07777, 04711);
	assert_int_equal(stat_of("out/other/c").st_gid, 4);
	assert_true(is_whiteout("out/w1") && is_whiteout("out/w2"));
	assert_true(same_inode("out/w1", "out/w2") && !same_inode("out/w1", "l0/w1"));
}

/* Files of two layers are no hard links of one another in the result, though they are the same inode. */
static void test_copies_of_layers_that_share(void **state)
{
	(void)state;
	put("l0/a", "shared");
	assert_int_equal(mkdir("l1", 0755) | link("l0/a", "l1/b"), 0);
	assert_int_equal(MERGE(3, "l1", "l0"), 0);
	assert_true(is_text("out/a", "shared") && is_text("out/b", "shared") && !same_inode("out/a", "out/b"));
}

/* Of what is in other layers, too, nothing comes into a layer that is written to. */
static void test_copies_of_shared_files(void **state)
{
	struct merge_layer layer = { .copy_shared = true };
	int out;

	(void)state;
	put("l0/alone", "1");
	put("l0/farmed", "2");
	put("l0/d/farmed-link", "3");
	put_whiteout("l0/white");
	assert_int_equal(link("l0/d/farmed-link", "l0/d/other-link"), 0);
	assert_int_equal(mkdir("l1", 0755) | link("l0/farmed", "l1/farmed") | link("l0/white", "l1/white"), 0);
	assert_int_equal(mkdir("out", 0755), 0);
	layer.fd = open_tree_at("l0");
	out = open_tree_at("out");
	assert_int_equal(layers_merge(ctx, &layer, 1, out), 0);
	close(layer.fd);
	close(out);
	assert_true(same_inode("out/alone", "l0/alone") && same_inode("out/white", "l0/white"));
	assert_true(is_text("out/farmed", "2") && !same_inode("out/farmed", "l0/farmed"));
	assert_true(is_text("out/d/farmed-link", "3") && same_inode("out/d/farmed-link", "out/d/other-link"));
	assert_false(same_inode("out/d/farmed-link", "l0/d/farmed-link"));
}

static void test_too_many_links(void **state)
{
	char path[32];

	(void)state;
	put_whiteout("l0/w0");
	put("l0/f0", "content");
	for (int i = 1; i < 8; i++) {
		snprintf(path, sizeof path, "l0/w%d", i);
		assert_int_equal(link("l0/w0", path), 0);
		snprintf(path, sizeof path, "l0/f%d", i);
		assert_int_equal(link("l0/f0", path), 0);
	}
	links_max = 10; /* two more of each, then a copy takes the other six */
	assert_int_equal(MERGE(0, "l0"), 0);
	links_max = 0;
	for (int i = 0; i < 8; i++) {
		snprintf(path, sizeof path, "out/w%d", i);
		assert_true(is_whiteout(path));
		snprintf(path, sizeof path, "out/f%d", i);
		assert_true(is_text(path, "content"));
	}
	assert_true(same_inode("out/f1", "l0/f0") && same_inode("out/w1", "l0/w0"));
	assert_false(same_inode("out/f2", "l0/f0"));
	assert_true(same_inode("out/f2", "out/f7") && same_inode("out/w2", "out/w7"));
	assert_int_equal(stat_of("out/f2").st_nlink, 6);
	assert_int_equal(tree_remove(AT_FDCWD, "out"), 0);
	links_max = 3; /* no more links to what is there, and copies take three names each */
	assert_int_equal(MERGE(1, "l0"), 0);
	assert_true(same_inode("out/f0", "out/f2") && same_inode("out/f3", "out/f5"));
	assert_false(same_inode("out/f2", "out/f3"));
}

/* Deeper than a path is long and than descriptors go, in every layer. */
static void test_depth(void **state)
{
	enum { DEPTH = 3000 };
	static const char *const layers[] = { "l2", "l1", "l0" };
	struct rlimit few, saved;
	int fd, r;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(mkdir(layers[i], 0755), 0);
		fd = open_tree_at(layers[i]);
		for (size_t depth = 0; depth < DEPTH - i * 1000; depth++) {
			int below;

			assert_int_equal(mkdirat(fd, "deep", 0755), 0);
			below = openat(fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			close(fd);
			fd = below;
		}
		close(openat(fd, layers[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		assert_int_equal(linkat(fd, layers[i], fd, "twice", 0), 0);
		close(fd);
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	few = (struct rlimit){ 64, saved.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	r = MERGE(5, "l2", "l1", "l0");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	assert_int_equal(r, 0);
	fd = open_tree_at("out");
	for (size_t depth = 0; depth < DEPTH; depth++) {
		int below = openat(fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		assert_true(below >= 0);
		assert_int_equal(faccessat(fd, "l0", F_OK, 0) == 0, depth == 1000);
		assert_int_equal(faccessat(fd, "l1", F_OK, 0) == 0, depth == 2000);
		close(fd);
		fd = below;
	}
	assert_int_equal(faccessat(fd, "l2", F_OK, 0) | faccessat(fd, "twice", F_OK, 0), 0);
	close(fd);
}

static void test_what_is_refused(void **state)
{
	(void)state;
	put("l0/d/file", "x");
	assert_int_equal(setxattr("l0/d", "trusted.overlay.opaque", "x", 1, 0), 0);
	assert_int_equal(MERGE(0, "l0"), -LB_ERR_DAMAGED);
	assert_contains(lb_context_error(ctx), "/d of a layer");
	assert_int_equal(begin(NULL), 0);
	put("l1/d/file", "");
	put("l0/d/file", "x");
	assert_int_equal(setxattr("l1/d/file", "trusted.overlay.whiteout", "", 0, 0), 0);
	assert_int_equal(MERGE(0, "l1", "l0"), -LB_ERR_DAMAGED);
	assert_contains(lb_context_error(ctx), "/d/file of a layer");
}

/* A whiteout in a directory that the base does not have: the kernel would show and not delete it. */
static void test_whiteout_without_a_base(void **state)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int fd;

	(void)state;
	put("l1/plain/kept", "k");
	put_whiteout("l1/plain/gone");
	put("l0/plain/gone", "g");
	assert_int_equal(MERGE(0, "l1", "l0"), 0);
	assert_int_equal(mkdir("bare", 0755) | mkdir("work", 0755) | mkdir("a", 0755), 0);
	assert_int_equal(mount("x", "a", "overlay", 0, "lowerdir=bare,upperdir=out,workdir=work," OPTIONS), 0);
	fd = open_tree_at("a/plain");
	assert_int_equal(tree_list_names(fd, &names), 0);
	close(fd);
	assert_int_equal(names.count, 1);
	assert_int_equal(unlink("a/plain/kept") | rmdir("a/plain"), 0);
	assert_int_equal(umount("a"), 0);
}

/* ---- at random ---- */

struct stack {
	struct changes changes;
	size_t count;                 /* layers l0, the lowest, to l<count - 1> */
	size_t first, end;            /* of those that are merged */
};

/* "ln:…:l0:BASE" from layer @end - 1 down to @first. */
static void add_layers(struct buffer *options, size_t first, size_t end)
{
	while (end-- > first)
		buffer_format(options, "l%zu:", end);
}

static void mount_at(const char *place, struct buffer *lower, const char *base, const char *rest)
{
	CLEANUP_FREE char *options = NULL;

	buffer_format(lower, "%s%s", base, rest);
	options = text_format("lowerdir=%s," OPTIONS, lower->data);
	if (mkdir(place, 0755) < 0 && errno != EEXIST)
		fail_msg("cannot make %s", place);
	if (mount("x", place, "overlay", 0, options) < 0)
		fail_msg("cannot mount %s: %s", options, strerror(errno));
}

static void change(struct stack *stack, const char *place, size_t times)
{
	stack->changes.view_fd = open_tree_at(place);
	while (times-- > 0)
		assert_int_equal(changes_make(&stack->changes), 0);
	close(stack->changes.view_fd);
}

static void make_base(struct stack *stack, const char *name, size_t changes)
{
	assert_int_equal(mkdir(name, 0755), 0);
	change(stack, name, changes);
}

static void make_layer(struct stack *stack, size_t number)
{
	CLEANUP_BUFFER struct buffer lower = { 0 };
	CLEANUP_FREE char *rest = text_format(",upperdir=l%zu,workdir=work", number);
	char name[32];

	snprintf(name, sizeof name, "l%zu", number);
	assert_int_equal(tree_remove(AT_FDCWD, "work") | mkdir("work", 0755) | mkdir(name, 0755), 0);
	add_layers(&lower, 0, number);
	mount_at("a", &lower, "base", rest);
	change(stack, "a", 10 + changes_random(&stack->changes, 60));
	assert_int_equal(umount("a"), 0);
}

static int merge_some(struct stack *stack)
{
	char names[LAYERS_MAX][32];
	const char *trees[LAYERS_MAX];
	size_t count = 0;

	stack->first = changes_random(&stack->changes, stack->count);
	stack->end = stack->first + 1 + changes_random(&stack->changes, stack->count - stack->first);
	for (size_t i = stack->end; i-- > stack->first;) {
		snprintf(names[count], sizeof names[count], "l%zu", i);
		trees[count] = names[count];
		count++;
	}
	return merge(trees, count, (unsigned)changes_random(&stack->changes, 1U << count));
}

static size_t compare_over(struct stack *stack, const char *base)
{
	CLEANUP_BUFFER struct buffer layers = { 0 };
	CLEANUP_BUFFER struct buffer merged = { 0 };
	size_t differences;
	int a, b;

	add_layers(&layers, 0, stack->count);
	add_layers(&merged, stack->end, stack->count);
	buffer_add_text(&merged, "out:");
	add_layers(&merged, 0, stack->first);
	mount_at("a", &layers, base, "");
	mount_at("b", &merged, base, "");
	a = open_tree_at("a"), b = open_tree_at("b");
	differences = trees_compare(a, b, true, NULL);
	close(a);
	close(b);
	assert_int_equal(umount("a") | umount("b"), 0);
	return differences;
}

static size_t not_deleted;

static int delete_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	not_deleted += at->level > 0 && remove(path) < 0;
	return 0;
}

/* As the top layer of a container, all of it can be deleted: no whiteout is left where the kernel does not see it. */
static void empty_as_top(struct stack *stack, const char *base)
{
	CLEANUP_BUFFER struct buffer lower = { 0 };

	assert_int_equal(tree_remove(AT_FDCWD, "work") | mkdir("work", 0755), 0);
	add_layers(&lower, 0, stack->first);
	mount_at("a", &lower, base, ",upperdir=out,workdir=work");
	not_deleted = 0;
	assert_int_equal(nftw("a", delete_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(umount("a"), 0);
}

static void one_stack(uint64_t seed)
{
	struct stack stack = { .changes = { .random = seed, .plain_fd = -1, .privileged = true } };
	size_t differences;
	int r;

	assert_int_equal(begin(NULL), 0);
	stack.count = 1 + changes_random(&stack.changes, LAYERS_MAX);
	make_base(&stack, "base", 200);
	make_base(&stack, "odd", 200);
	make_base(&stack, "bare", 0);
	for (size_t i = 0; i < stack.count; i++)
		make_layer(&stack, i);
	r = merge_some(&stack);
	differences = compare_over(&stack, "base") + compare_over(&stack, "odd") + compare_over(&stack, "bare");
	empty_as_top(&stack, changes_random(&stack.changes, 2) ? "odd" : "bare");
	if (r < 0 || differences > 0 || not_deleted > 0)
		fail_msg("LAYERBOX_TEST_SEED=%llu: l%zu..l%zu of %zu layers: code %d, %zu differences, %zu not deleted",
			 (unsigned long long)seed, stack.first, stack.end - 1, stack.count, r, differences,
			 not_deleted);
}

/* LAYERBOX_TEST_SEED repeats one; LAYERBOX_TEST_ROUNDS makes more than a few. */
static void test_at_random(void **state)
{
	const char *seed = getenv("LAYERBOX_TEST_SEED"), *rounds = getenv("LAYERBOX_TEST_ROUNDS");
	uint64_t first = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL) * 1000;

	(void)state;
	for (unsigned long i = 0, end = seed ? 1 : rounds ? strtoul(rounds, NULL, 10) : 30; i < end; i++)
		one_stack(first + i);
}

static int enter(void **state)
{
	return scratch_enter(state) < 0 ? -1 : lb_context_new(NULL, &ctx);
}

static int leave(void **state)
{
	lb_context_free(ctx);
	return begin(NULL) < 0 ? -1 : scratch_leave(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_files, begin),
		cmocka_unit_test_setup(test_whiteouts, begin),
		cmocka_unit_test_setup(test_opaque, begin),
		cmocka_unit_test_setup(test_attributes, begin),
		cmocka_unit_test_setup(test_copies, begin),
		cmocka_unit_test_setup(test_copies_of_layers_that_share, begin),
		cmocka_unit_test_setup(test_copies_of_shared_files, begin),
		cmocka_unit_test_setup(test_too_many_links, begin),
		cmocka_unit_test_setup(test_depth, begin),
		cmocka_unit_test_setup(test_what_is_refused, begin),
		cmocka_unit_test_setup(test_whiteout_without_a_base, begin),
		cmocka_unit_test_setup(test_at_random, begin),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
