/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams: a layer as the difference to another one. */
#include "stream.h"

static void test_random_differences(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 30; i++) {
		make_random_tree("a", i);
		share_tree();
		change_randomly("b", 0);
		pack(DIFFERENCE, STREAM_PLAIN);
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
	pack(DIFFERENCE, STREAM_PLAIN);
	assert_int_equal(stat("s", &st), 0);
	assert_int_equal(unlink("b/zz/7"), 0);
	put_file("b/zz/new", "");
	pack(DIFFERENCE, STREAM_PLAIN);
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
	pack(DIFFERENCE, STREAM_PLAIN);
	unpack(&from_a);
	compare_trees("b", LAYER_A);
	assert_int_equal(unlink("b/one"), 0);
	pack(DIFFERENCE, STREAM_PLAIN);
	unpack(&from_a);
	compare_trees("b", LAYER_A);
}

/* Of what is there, of what changes only itself, and of what gets one and does not change itself. */
static void test_difference_of_whiteouts(void **state)
{
	struct stat st, before;

	(void)state;
	assert_true(mkdir("a/stays", 0755) == 0 && mkdir("a/changes", 0755) == 0 && mkdir("a/gets", 0755) == 0);
	assert_true(mknod("a/stays/x", S_IFCHR, 0) == 0 && mknod("a/changes/x", S_IFCHR, 0) == 0);
	share_tree();
	assert_int_equal(chmod("b/changes", 0700), 0);
	assert_int_equal(stat("b/gets", &before), 0);
	assert_int_equal(mknod("b/gets/x", S_IFCHR, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, "b/gets", (struct timespec[]){ before.st_atim, before.st_mtim }, 0), 0);
	pack(DIFFERENCE, STREAM_PLAIN);
	unpack(&from_a);
	compare_trees("b", LAYER_A);
	assert_true(is_marked(LAYER_A "/stays") && is_marked(LAYER_A "/changes") && is_marked(LAYER_A "/gets"));
	assert_int_equal(stat(LAYER_A "/gets", &st), 0);
	assert_int_equal(st.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
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
	pack(DIFFERENCE, STREAM_PLAIN);
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
	pack(DIFFERENCE, STREAM_PLAIN);
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
	pack(HEAD "difference layers/1 b a\nend\n", STREAM_PLAIN);
	unpack(&from_a);
	compare_trees("b", LAYER_A);
}

static void test_difference_to_another_layer(void **state)
{
	(void)state;
	put_file("a/one", "1");
	pack(DIFFERENCE, STREAM_PLAIN);
	assert_int_equal(mkdir("c", 0755), 0);
	refused(&(struct told){ .layer = A, .from = "c" }, "difference to another layer");
	refused(&layer_a, "where there can be none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_random_differences, begin),
		cmocka_unit_test_setup(test_difference_is_small, begin),
		cmocka_unit_test_setup(test_difference_of_links, begin),
		cmocka_unit_test_setup(test_difference_of_whiteouts, begin),
		cmocka_unit_test_setup(test_difference_of_types, begin),
		cmocka_unit_test_setup(test_difference_of_directories, begin),
		cmocka_unit_test_setup(test_much_is_gone, begin),
		cmocka_unit_test_setup(test_difference_to_another_layer, begin),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
