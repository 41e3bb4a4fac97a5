/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which package brought a path, by lists that anybody may have written. */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/rebase/ownership.h"

#define INFO "var/lib/dpkg/info"

static struct package_decision decisions[2];
static struct package_merge merge = { .decisions = decisions, .count = 2 };
static char base_name[] = "one", top_name[] = "two";
static struct three_views views;
static struct ownership ownership;

static void put(const char *tree, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof path, "%s/" INFO, tree);
	assert_true(tree_make_directories(AT_FDCWD, path, 0755) >= 0);
	snprintf(path, sizeof path, "%s/" INFO "/%s", tree, file);
	put_file(path, text);
}

static int begin(void **state)
{
	struct view *const all[] = { &views.old, &views.new, &views.own };
	static const char *const trees[] = { "old", "new", "top" };

	(void)state;
	ownership_free(&ownership);
	decisions[0] = (struct package_decision){ .name = base_name, .side = PACKAGE_BASE };
	decisions[1] = (struct package_decision){ .name = top_name, .side = PACKAGE_TOP };
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(tree_remove(AT_FDCWD, trees[i]), 0);
		assert_int_equal(mkdir(trees[i], 0755), 0);
		*all[i] = (struct view){ open(trees[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC), -1 };
	}
	views.own = (struct view){ views.old.base_fd, views.own.base_fd };
	return 0;
}

static int end(void **state)
{
	(void)state;
	close_fd(views.old.base_fd);
	close_fd(views.new.base_fd);
	close_fd(views.own.top_fd);
	return 0;
}

static void load(void)
{
	assert_int_equal(ownership_load(&views, &merge, &ownership), 0);
}

static void test_whose_version_has_it(void **state)
{
	const struct owned_path *owned;

	(void)state;
	put("old", "one.list", "/.\n/usr\n/usr/share\n/usr/share/a\n/usr/share/gone\n");
	put("new", "one.list", "/.\n/usr\n/usr/share\n/usr/share/a\n/usr/share/came\n");
	put("top", "one.md5sums", "0123456789abcdef0123456789abcdef  usr/share/a\nnonsense\n0123  usr/share/short\n");
	load();
	assert_int_equal(ownership.count, 3);
	owned = ownership_find(&ownership, "usr/share/a");
	assert_true(owned && owned->in_old && owned->in_new && owned->in_own);
	assert_string_equal(owned->md5, "0123456789abcdef0123456789abcdef");
	owned = ownership_find(&ownership, "usr/share/gone");
	assert_true(owned && owned->in_old && !owned->in_new && owned->in_own);
	owned = ownership_find(&ownership, "usr/share/came");
	assert_true(owned && !owned->in_old && owned->in_new && !owned->in_own);
	assert_null(ownership_find(&ownership, "usr/share"));
	assert_null(ownership_find(&ownership, "usr/share/short"));
	assert_null(ownership_find(&ownership, ""));
}

/* It belongs to the one that the result will have it from. */
static void test_moved_between_packages(void **state)
{
	(void)state;
	put("old", "two.list", "/usr/lib/moved\n");
	put("new", "one.list", "/usr/lib/moved\n");
	load();
	assert_int_equal(ownership.count, 1);
	assert_ptr_equal(ownership_find(&ownership, "usr/lib/moved")->package, &decisions[0]);
}

static void test_merged_usr(void **state)
{
	char buffer[OWNERSHIP_PATH_SIZE];

	(void)state;
	assert_int_equal(symlink("usr/bin", "new/bin") | symlink("usr/../../out", "new/lib") | symlink("/etc", "new/sbin"), 0);
	put("new", "one.list", "/bin/ls\n/lib/x\n/sbin/y\n/binary\n");
	load();
	assert_non_null(ownership_find(&ownership, "usr/bin/ls"));
	assert_non_null(ownership_find(&ownership, "lib/x"));
	assert_non_null(ownership_find(&ownership, "sbin/y"));
	assert_non_null(ownership_find(&ownership, "binary"));
	assert_string_equal(ownership_resolve(&ownership, "//bin/sh", buffer), "usr/bin/sh");
	assert_null(ownership_resolve(&ownership, "/", buffer));
	assert_null(ownership_resolve(&ownership, "/.", buffer));
}

static void test_paths_that_no_tree_has(void **state)
{
	(void)state;
	put("top", "two.list", "/..\n/usr/../../etc/shadow\n//usr//x\n/a/./b\n/slash/\n\n/\nrelative\n/good\n");
	load();
	assert_int_equal(ownership.count, 1);
	assert_non_null(ownership_find(&ownership, "good"));
}

static void test_lists_that_are_none(void **state)
{
	(void)state;
	put("old", "one.list", "/x\n");
	assert_true(tree_make_directories(AT_FDCWD, "top/" INFO, 0755) >= 0);
	assert_int_equal(mkfifo("top/" INFO "/one.list", 0644) | mkdir("top/" INFO "/two.list", 0755) |
				 symlink("/etc/passwd", "top/" INFO "/one.md5sums"),
			 0);
	load();
	assert_int_equal(ownership.count, 1);
	assert_false(ownership_find(&ownership, "x")->in_own);
}

static bool is_new(const struct owned_path *owned)
{
	return owned->in_new;
}

static void test_any_below(void **state)
{
	(void)state;
	put("new", "one.list", "/usr/lib/x/file\n/usr/libexec\n");
	put("old", "one.list", "/usr/share/file\n");
	load();
	assert_true(ownership_any_below(&ownership, "/usr", is_new));
	assert_true(ownership_any_below(&ownership, "/usr/lib", is_new));
	assert_true(ownership_any_below(&ownership, "/usr/lib/x", is_new));
	assert_false(ownership_any_below(&ownership, "/usr/lib/x/file", is_new));
	assert_false(ownership_any_below(&ownership, "/usr/share", is_new));
	assert_false(ownership_any_below(&ownership, "/", is_new));
}

/* More than a host should have to remember, in hard links that cost their owner nothing. */
static void test_too_much(void **state)
{
	CLEANUP_FREE char *text = malloc((15 << 20) + 1);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < 15 << 20; i += 3)
		memcpy(text + i, "/a\n", 3);
	text[15 << 20] = '\0';
	put("top", "two.list", text);
	assert_int_equal(ownership_load(&views, &merge, &ownership), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whose_version_has_it, begin, end),
		cmocka_unit_test_setup_teardown(test_moved_between_packages, begin, end),
		cmocka_unit_test_setup_teardown(test_merged_usr, begin, end),
		cmocka_unit_test_setup_teardown(test_paths_that_no_tree_has, begin, end),
		cmocka_unit_test_setup_teardown(test_lists_that_are_none, begin, end),
		cmocka_unit_test_setup_teardown(test_any_below, begin, end),
		cmocka_unit_test_setup_teardown(test_too_much, begin, end),
	};
	int r = cmocka_run_group_tests(tests, scratch_enter, scratch_leave);

	ownership_free(&ownership);
	return r;
}
