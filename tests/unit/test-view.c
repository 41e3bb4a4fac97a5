/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a container as overlayfs would show them: the kernel's own view of the same layers is what is compared with. */
#include "unit.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include "../../liblayerbox/rebase/view.h"

static struct view view = { .base_fd = -1, .top_fd = -1 };

static void put(const char *path, const char *text)
{
	char directory[256];

	snprintf(directory, sizeof directory, "%s", path);
	*strrchr(directory, '/') = '\0';
	assert_true(tree_make_directories(AT_FDCWD, directory, 0755) >= 0);
	put_file(path, text);
}

static int begin(void **state)
{
	(void)state;
	need_root();
	umount2("view", MNT_DETACH);
	close_fd(view.base_fd);
	close_fd(view.top_fd);
	for (const char *const *tree = (const char *const[]){ "base", "top", "work", "view", NULL }; *tree; tree++) {
		assert_int_equal(tree_remove(AT_FDCWD, *tree), 0);
		assert_int_equal(mkdir(*tree, 0755), 0);
	}
	view.base_fd = open("base", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	view.top_fd = open("top", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return view.base_fd < 0 || view.top_fd < 0;
}

/* Changes are made through the kernel's overlay, with the options that containers have. */
static void mount_view(void)
{
	assert_int_equal(mount("x", "view", "overlay", 0,
			       "lowerdir=base,upperdir=top,workdir=work,index=off,metacopy=off,redirect_dir=off"),
			 0);
}

static bool shows(const char *path, const char *text)
{
	CLEANUP_FREE char *shown = NULL;

	return view_read(&view, path, 4096, &shown) == 0 && strcmp(shown, text) == 0;
}

static int read_of(const char *path)
{
	CLEANUP_FREE char *shown = NULL;

	return view_read(&view, path, 4096, &shown);
}

/* The names as one text. */
static const char *names_in(const char *path)
{
	static char text[256];
	CLEANUP_TEXT_LIST struct text_list names = { 0 };

	assert_int_equal(view_list(&view, path, &names), 0);
	*text = '\0';
	for (size_t i = 0; i < names.count; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", names.items[i]);
	return text;
}

static void test_layers(void **state)
{
	(void)state;
	put("base/d/a", "base a");
	put("base/d/b", "base b");
	put("base/d/c", "base c");
	mount_view();
	put("view/d/b", "own b");
	put("view/d/own", "own");
	assert_int_equal(unlink("view/d/c"), 0);
	assert_true(shows("d/a", "base a") && shows("d/b", "own b") && shows("d/own", "own"));
	assert_int_equal(read_of("d/c"), -ENOENT);
	assert_int_equal(read_of("d/none"), -ENOENT);
	assert_int_equal(read_of("none/at/all"), -ENOENT);
	assert_string_equal(names_in("d"), "a b own");
	assert_string_equal(names_in("none"), "");
	assert_int_equal(view_top_decides(&view, "d/a"), 0);
	assert_int_equal(view_top_decides(&view, "d/b"), 1);
	assert_int_equal(view_top_decides(&view, "d/c"), 1);
	view.top_fd = (close_fd(view.top_fd), -1);
	assert_true(shows("d/b", "base b") && shows("d/c", "base c"));
	assert_string_equal(names_in("d"), "a b c");
}

/* The mark is only on the directory that was replaced, not on those that were made in it. */
static void test_opaque(void **state)
{
	CLEANUP_FD int fd = -1;

	(void)state;
	put("base/d/sub/deep/old", "base");
	put("base/d/sub/old", "base");
	mount_view();
	fd = open("view", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(tree_remove(fd, "d"), 0);
	put("view/d/sub/deep/own", "own");
	assert_string_equal(names_in("d"), "sub");
	assert_string_equal(names_in("d/sub"), "deep");
	assert_string_equal(names_in("d/sub/deep"), "own");
	assert_int_equal(read_of("d/sub/deep/old"), -ENOENT);
	assert_int_equal(read_of("d/sub/old"), -ENOENT);
	assert_int_equal(view_top_decides(&view, "d/sub/deep/old"), 1);
	assert_int_equal(view_is_covered(&view, "d"), 0);
	assert_int_equal(view_is_covered(&view, "d/sub"), 1);
	assert_int_equal(view_is_covered(&view, "d/sub/not/there"), 1);
	assert_int_equal(view_is_covered(&view, "elsewhere/at/all"), 0);
}

/* overlayfs makes whiteouts as hard links to one. */
static void test_whiteouts_with_many_names(void **state)
{
	(void)state;
	put("base/d/a", "a");
	put("base/d/b", "b");
	assert_int_equal(mkdir("top/d", 0755), 0);
	assert_int_equal(mknod("top/d/a", S_IFCHR, makedev(0, 0)) | link("top/d/a", "top/d/b"), 0);
	assert_int_equal(read_of("d/a"), -ENOENT);
	assert_int_equal(read_of("d/b"), -ENOENT);
	assert_string_equal(names_in("d"), "");
}

static void test_what_is_no_file(void **state)
{
	(void)state;
	put("base/d/x", "base");
	put("base/e/x", "base");
	put_file("outside", "secret");
	assert_int_equal(mkdir("top/d", 0755), 0);
	assert_int_equal(mkfifo("top/d/fifo", 0644), 0);
	assert_int_equal(symlink("../../outside", "top/d/link"), 0);
	assert_int_equal(mknod("top/d/null", S_IFCHR | 0666, makedev(1, 3)), 0);
	assert_int_equal(mkdir("top/d/x", 0755), 0);
	assert_int_equal(symlink("d", "top/e"), 0);
	assert_int_equal(read_of("d/fifo"), -EINVAL);
	assert_int_equal(read_of("d/link"), -EINVAL);
	assert_int_equal(read_of("d/null"), -EINVAL);
	assert_int_equal(read_of("d/x"), -EINVAL);
	assert_int_equal(read_of("e/x"), -ENOENT); /* a link where the base has a directory */
	assert_true(read_of("../outside") < 0);
	assert_true(read_of("/etc/hostname") < 0);
	assert_int_equal(view_is_covered(&view, "e/x"), 1);
}

static void test_limits(void **state)
{
	CLEANUP_FREE char *text = NULL;

	(void)state;
	put("base/file", "0123456789");
	assert_int_equal(view_read(&view, "file", 9, &text), -EFBIG);
	assert_int_equal(view_read(&view, "file", 10, &text), 0);
	assert_string_equal(text, "0123456789");
	assert_int_equal(truncate("base/file", 12), 0);
	assert_int_equal(read_of("file"), -EINVAL); /* NUL bytes */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_layers, begin),
		cmocka_unit_test_setup(test_opaque, begin),
		cmocka_unit_test_setup(test_whiteouts_with_many_names, begin),
		cmocka_unit_test_setup(test_what_is_no_file, begin),
		cmocka_unit_test_setup(test_limits, begin),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
