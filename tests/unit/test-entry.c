/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries of trees compared: content, attributes, and what must not be opened. */
#include "unit.h"

#include <errno.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "../../liblayerbox/rebase/entry.h"
#include "../../liblayerbox/util/cleanup.h"

static int a_fd = -1, b_fd = -1;

static int begin(void **state)
{
	(void)state;
	need_root();
	close_fd(a_fd);
	close_fd(b_fd);
	assert_int_equal(tree_remove(AT_FDCWD, "a") | tree_remove(AT_FDCWD, "b"), 0);
	assert_int_equal(mkdir("a", 0755) | mkdir("b", 0755), 0);
	a_fd = open("a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	b_fd = open("b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return a_fd < 0 || b_fd < 0;
}

/* Content and attributes of the entry of that name in both directories, as two digits. */
static int same(const char *name)
{
	struct entry a, b;

	assert_int_equal(entry_look(a_fd, name, &a), 0);
	assert_int_equal(entry_look(b_fd, name, &b), 0);
	assert_int_equal(entry_same(&a, &b), entry_same_content(&a, &b) == 1 && entry_same_attributes(&a, &b) == 1);
	return 10 * entry_same_content(&a, &b) + entry_same_attributes(&a, &b);
}

static void test_files(void **state)
{
	(void)state;
	put_file("a/f", "text");
	assert_int_equal(same("f"), 0); /* not there */
	put_file("b/f", "text");
	assert_int_equal(same("f"), 11);
	put_file("b/f", "texd");
	assert_int_equal(same("f"), 1);
	put_file("b/f", "longer text");
	assert_int_equal(same("f"), 1);
	put_file("b/f", "text");
	assert_int_equal(chmod("b/f", 0600), 0);
	assert_int_equal(same("f"), 10);
	assert_int_equal(chmod("b/f", 0644) | chown("b/f", 5, 0), 0);
	assert_int_equal(same("f"), 10);
}

static void test_xattrs(void **state)
{
	(void)state;
	put_file("a/f", "text");
	put_file("b/f", "text");
	assert_int_equal(setxattr("b/f", "trusted.overlay.origin", "x", 1, 0), 0);
	assert_int_equal(same("f"), 11);
	assert_int_equal(setxattr("b/f", "trusted.note", "x", 1, 0), 0);
	assert_int_equal(same("f"), 10);
	assert_int_equal(setxattr("a/f", "trusted.note", "y", 1, 0), 0);
	assert_int_equal(same("f"), 10);
	assert_int_equal(setxattr("a/f", "trusted.note", "x", 1, 0), 0);
	assert_int_equal(same("f"), 11);
	assert_int_equal(removexattr("a/f", "trusted.note") | setxattr("a/f", "trusted.other", "x", 1, 0), 0);
	assert_int_equal(same("f"), 10);
}

static void test_other_types(void **state)
{
	struct entry entry;

	(void)state;
	assert_int_equal(symlink("target", "a/l") | symlink("target", "b/l"), 0);
	assert_int_equal(same("l"), 11);
	assert_int_equal(unlink("b/l") | symlink("targeX", "b/l"), 0);
	assert_int_equal(same("l"), 1);
	assert_int_equal(mkfifo("a/p", 0644) | mkfifo("b/p", 0644), 0);
	assert_int_equal(same("p"), 11); /* and nobody waits for a writer */
	assert_int_equal(mknod("a/c", S_IFCHR, makedev(0, 0)) | mknod("b/c", S_IFCHR, makedev(1, 3)), 0);
	assert_int_equal(same("c"), 1);
	assert_int_equal(entry_look(a_fd, "c", &entry), 0);
	assert_true(entry_is_whiteout(&entry));
	assert_int_equal(entry_look(b_fd, "c", &entry), 0);
	assert_false(entry_is_whiteout(&entry));
	put_file("a/t", "target");
	assert_int_equal(symlink("target", "b/t"), 0);
	assert_int_equal(same("t"), 0);
	for (const char *const *name = (const char *const[]){ "l", "p", NULL }; *name; name++) {
		assert_int_equal(entry_look(a_fd, *name, &entry), 0);
		assert_true(entry_open(&entry) < 0);
	}
}

static void test_nowhere(void **state)
{
	struct entry entry;

	(void)state;
	assert_int_equal(entry_look(-1, "f", &entry), 0);
	assert_false(entry.there || entry_is_whiteout(&entry));
	assert_int_equal(entry_same(&entry, &entry), 0);
}

static void test_opaque(void **state)
{
	(void)state;
	assert_false(entry_is_opaque(a_fd));
	assert_int_equal(setxattr("a", "trusted.overlay.opaque", "x", 1, 0), 0);
	assert_false(entry_is_opaque(a_fd)); /* it has whiteouts that are files */
	assert_int_equal(setxattr("a", "trusted.overlay.opaque", "y", 1, 0), 0);
	assert_true(entry_is_opaque(a_fd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_files, begin),	 cmocka_unit_test_setup(test_xattrs, begin),
		cmocka_unit_test_setup(test_other_types, begin), cmocka_unit_test_setup(test_nowhere, begin),
		cmocka_unit_test_setup(test_opaque, begin),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
