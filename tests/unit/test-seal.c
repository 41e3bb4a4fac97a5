/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Merging an upper layer that the kernel has made with the tree below it: what is linked, moved, gone, kept. */
#include "unit.h"

#include <sys/xattr.h>

#include "../../liblayerbox/base/seal.h"
#include "../../liblayerbox/util/cleanup.h"

static struct lb_context *ctx;
static size_t changes;

static void put(const char *directory, const char *path, const char *text)
{
	char full[256];

	snprintf(full, sizeof full, "%s/%s", directory, path);
	assert_true(tree_make_directories(AT_FDCWD, directory, 0755) >= 0);
	*strrchr(full, '/') = '\0';
	assert_true(tree_make_directories(AT_FDCWD, full, 0755) >= 0);
	full[strlen(full)] = '/';
	put_file(full, text);
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

static void age(const char *path)
{
	struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static bool is_text(const char *path, const char *text)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	char content[64] = "";

	return fd >= 0 && read(fd, content, sizeof content - 1) >= 0 && strcmp(content, text) == 0;
}

/* What the kernel makes of changes; `view` is the overlay. */
static void mount_view(void)
{
	assert_int_equal(mkdir("upper", 0755) | mkdir("work", 0755) | mkdir("view", 0755) | mkdir("out", 0755), 0);
	assert_int_equal(mount("x", "view", "overlay", 0,
			       "lowerdir=lower,upperdir=upper,workdir=work,index=off,metacopy=off,redirect_dir=off"),
			 0);
}

static int merge(const char *other)
{
	CLEANUP_FD int lower = open("lower", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int upper = open("upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int out = open("out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int other_fd = other ? open(other, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	const struct seal_trees trees = { lower, upper, other_fd, out };

	assert_int_equal(umount("view"), 0);
	return seal(ctx, &trees, &changes);
}

static int begin(void **state)
{
	static const char *const trees[] = { "lower", "upper", "work", "view", "out", "other" };

	(void)state;
	need_root();
	umount2("view", MNT_DETACH);
	for (size_t i = 0; i < sizeof trees / sizeof *trees; i++)
		if (tree_remove(AT_FDCWD, trees[i]) < 0)
			return -1;
	return 0;
}

static void test_nothing_changed(void **state)
{
	(void)state;
	put("lower", "a/file", "x");
	put("lower", "b/c/file", "y");
	assert_int_equal(symlink("a", "lower/link") | chmod("lower/b", 02750) | chown("lower/b", 5, 6), 0);
	assert_int_equal(setxattr("lower/b", "trusted.mine", "v", 1, 0), 0);
	age("lower/b");
	mount_view();
	assert_int_equal(merge(NULL), 0);
	assert_int_equal(changes, 0);
	assert_true(same_inode("lower/a/file", "out/a/file") && same_inode("lower/b/c/file", "out/b/c/file"));
	assert_true(same_inode("lower/link", "out/link"));
	assert_int_equal(stat_of("out/b").st_mode & 07777, 02750);
	assert_true(stat_of("out/b").st_uid == 5 && stat_of("out/b").st_gid == 6 && stat_of("out/b").st_mtime == 1000);
	assert_int_equal(getxattr("out/b", "trusted.mine", NULL, 0), 1);
}

static void test_changes(void **state)
{
	int view;

	(void)state;
	put("lower", "etc/changed", "old");
	put("lower", "etc/gone", "x");
	put("lower", "etc/mode", "m");
	put("lower", "tree/below/file", "x");
	put("lower", "kept/file", "k");
	put("lower", "was-directory/file", "x");
	put("lower", "was-file", "x");
	mount_view();
	put("view", "etc/changed", "new");
	put("view", "etc/fresh", "f");
	put("view", "new/deep/file", "n");
	assert_int_equal(chmod("view/etc/mode", 04755) | unlink("view/etc/gone") | unlink("view/was-file"), 0);
	view = open("view", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(tree_remove(view, "tree") | tree_remove(view, "was-directory"), 0);
	close(view);
	put("view", "tree/other", "o"); /* an opaque directory */
	put("view", "was-file/inside", "i");
	put_file("view/was-directory", "w");
	age("view/etc/fresh");
	assert_int_equal(merge(NULL), 0);
	assert_true(is_text("out/etc/changed", "new") && is_text("lower/etc/changed", "old"));
	assert_true(is_text("out/etc/fresh", "f") && stat_of("out/etc/fresh").st_mtime == 1000);
	assert_true(is_text("out/new/deep/file", "n") && is_text("out/was-file/inside", "i"));
	assert_true(is_text("out/was-directory", "w") && is_text("out/tree/other", "o"));
	assert_false(exists("out/etc/gone") || exists("out/tree/below"));
	assert_int_equal(stat_of("out/etc/mode").st_mode & 07777, 04755);
	assert_int_equal(stat_of("lower/etc/mode").st_mode & 07777, 0644);
	assert_true(same_inode("lower/kept/file", "out/kept/file"));
	assert_int_equal(lgetxattr("out/etc/changed", "trusted.overlay.origin", NULL, 0), -1);
	assert_int_equal(lgetxattr("out/tree", "trusted.overlay.opaque", NULL, 0), -1);
	assert_int_equal(lgetxattr("out/etc", "trusted.overlay.impure", NULL, 0), -1);
	assert_true(changes >= 9);
}

static void test_written_but_equal(void **state)
{
	struct timespec mtime;

	(void)state;
	put("lower", "d/same", "same");
	put("lower", "d/code.py", "pass");
	put("lower", "d/xattr", "x");
	assert_int_equal(symlink("target", "lower/d/link"), 0);
	age("lower/d/same");
	age("lower/d/code.py");
	age("lower/d");
	mtime = stat_of("lower/d").st_mtim;
	mount_view();
	assert_int_equal(unlink("view/d/same") | unlink("view/d/link"), 0);
	put_file("view/d/same", "same");
	assert_int_equal(symlink("target", "view/d/link"), 0);
	put_file("view/d/code.py", "pass");
	put_file("view/d/temporary", "t");
	assert_int_equal(unlink("view/d/temporary"), 0);
	assert_int_equal(merge(NULL), 0);
	assert_true(same_inode("lower/d/same", "out/d/same") && same_inode("lower/d/link", "out/d/link"));
	assert_false(same_inode("lower/d/code.py", "out/d/code.py")); /* what was compiled of it has its time */
	assert_int_equal(changes, 1);
	assert_int_equal(begin(NULL), 0);
	put("lower", "d/same", "same");
	put("lower", "d/xattr", "x");
	age("lower/d");
	mount_view();
	put_file("view/d/temporary", "t");
	assert_int_equal(unlink("view/d/temporary"), 0);
	assert_int_equal(merge(NULL), 0);
	assert_int_equal(changes, 0);
	assert_int_equal(stat_of("out/d").st_mtim.tv_sec, mtime.tv_sec);
	assert_int_equal(begin(NULL), 0);
	put("lower", "d/xattr", "x");
	mount_view();
	assert_int_equal(setxattr("view/d/xattr", "trusted.mine", "1", 1, 0), 0);
	assert_int_equal(merge(NULL), 0);
	assert_int_equal(changes, 1);
	assert_false(same_inode("lower/d/xattr", "out/d/xattr"));
	assert_int_equal(getxattr("lower/d/xattr", "trusted.mine", NULL, 0), -1);
}

static void test_hard_links(void **state)
{
	(void)state;
	put("lower", "a", "1");
	put("lower", "d/x", "2");
	assert_int_equal(link("lower/a", "lower/b") | link("lower/d/x", "lower/y"), 0);
	mount_view();
	put("view", "new/one", "n");
	assert_int_equal(link("view/new/one", "view/two"), 0);
	/* Both names are written anew with the same content, as dpkg does; one of them has become a third. */
	assert_int_equal(unlink("view/d/x") | unlink("view/y"), 0);
	put_file("view/d/x", "2");
	assert_int_equal(link("view/d/x", "view/y") | link("view/d/x", "view/z"), 0);
	assert_int_equal(merge(NULL), 0);
	assert_true(same_inode("out/a", "out/b") && same_inode("out/a", "lower/a"));
	assert_true(same_inode("out/new/one", "out/two"));
	assert_true(same_inode("out/d/x", "out/y") && same_inode("out/y", "out/z") && same_inode("out/y", "lower/y"));
}

static void test_other_tree(void **state)
{
	(void)state;
	put("lower", "d/file", "parent");
	put("other", "d/file", "parent");
	put("other", "d/package", "package");
	put("other", "d/changed", "before");
	mount_view();
	put_file("view/d/package", "package");
	put_file("view/d/changed", "after");
	assert_int_equal(merge("other"), 0);
	assert_true(same_inode("out/d/file", "lower/d/file") && same_inode("out/d/package", "other/d/package"));
	assert_true(is_text("out/d/changed", "after") && is_text("other/d/changed", "before"));
	assert_int_equal(changes, 2);
}

static int enter(void **state)
{
	return scratch_enter(state) < 0 ? -1 : lb_context_new(NULL, &ctx);
}

static int leave(void **state)
{
	umount2("view", MNT_DETACH);
	lb_context_free(ctx);
	return scratch_leave(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_changed, begin),
		cmocka_unit_test_setup(test_changes, begin),
		cmocka_unit_test_setup(test_written_but_equal, begin),
		cmocka_unit_test_setup(test_hard_links, begin),
		cmocka_unit_test_setup(test_other_tree, begin),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
