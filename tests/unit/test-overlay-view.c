/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers seen as one tree without a mount, by both ways. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "../../liblayerbox/adapters/overlay-view.h"
#include "../../liblayerbox/util/file.h"

/* As many as a container can have: a top layer, a chain, a base. */
enum { MANY = 26 };

typedef int (*open_fn)(const int *lower_fds, size_t count, const char *source, char *error, size_t error_size);

static int begin(void **state)
{
	(void)state;
	need_root();
	return tree_remove(AT_FDCWD, "layers") < 0 || mkdir("layers", 0755) < 0;
}

/* Opens the directories layers/0 to layers/COUNT-1, with 0 topmost. */
static int view_of(open_fn fn, size_t count)
{
	int fds[MANY] = { 0 }, view;
	char error[512], name[32];

	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof name, "layers/%zu", i);
		fds[i] = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(fds[i] >= 0);
	}
	view = fn(fds, count, "layerbox:a/first", error, sizeof error);
	if (view < 0)
		fail_msg("%s", error);
	assert_string_equal(error, "");
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	return view;
}

static char *mount_table(void)
{
	char *text = NULL;
	size_t length;

	assert_int_equal(file_read(AT_FDCWD, "/proc/self/mountinfo", 16 << 20, &text, &length), 0);
	return text;
}

static void assert_text(int view, const char *path, const char *expected)
{
	char *text = NULL;

	assert_int_equal(tree_read_in_root(view, path, 1000, &text), 0);
	assert_string_equal(text, expected);
	free(text);
}

static bool is_there(int view, const char *path)
{
	struct stat st;

	return fstatat(view, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void make_layers(void)
{
	assert_int_equal(mkdir("layers/0", 0750) | mkdir("layers/0/etc", 0700) | mkdir("layers/0/var", 0755), 0);
	assert_int_equal(mkdir("layers/1", 0755) | mkdir("layers/1/etc", 0755) | mkdir("layers/1/var", 0755), 0);
	put_file("layers/0/etc/hosts", "above");
	put_file("layers/1/etc/hosts", "below");
	put_file("layers/1/etc/passwd", "below");
	put_file("layers/1/etc/gone", "below");
	put_file("layers/1/var/hidden", "below");
	put_file("layers/0/var/own", "above");
	assert_int_equal(mknod("layers/0/etc/gone", S_IFCHR, makedev(0, 0)), 0);
	assert_int_equal(setxattr("layers/0/var", "trusted.overlay.opaque", "y", 1, 0), 0);
}

static void check_two(open_fn fn)
{
	char *before = mount_table(), *after;
	struct statvfs fs;
	struct stat st;
	int view;

	make_layers();
	view = view_of(fn, 2);
	after = mount_table();
	assert_string_equal(before, after); /* nobody else sees it */
	assert_text(view, "etc/hosts", "above");
	assert_text(view, "etc/passwd", "below");
	assert_text(view, "var/own", "above");
	assert_false(is_there(view, "etc/gone"));
	assert_false(is_there(view, "var/hidden"));
	assert_int_equal(fstat(view, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(openat(view, "etc/hosts", O_RDWR), -1);
	assert_int_equal(errno, EROFS);
	assert_int_equal(fstatvfs(view, &fs), 0);
	assert_int_equal(fs.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC),
			 ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC);
	close(view);
	free(before);
	free(after);
}

static void test_two(void **state)
{
	(void)state;
	check_two(overlay_view_open);
}

static void test_two_by_path(void **state)
{
	(void)state;
	check_two(overlay_view_open_by_path);
}

static void check_one(open_fn fn)
{
	struct stat st;
	int view;

	assert_int_equal(mkdir("layers/0", 0711), 0);
	put_file("layers/0/file", "alone");
	view = view_of(fn, 1);
	assert_text(view, "file", "alone");
	assert_int_equal(fstat(view, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	assert_int_equal(openat(view, "file", O_RDWR), -1);
	assert_int_equal(errno, EROFS);
	close(view);
}

static void test_one(void **state)
{
	(void)state;
	check_one(overlay_view_open);
}

static void test_one_by_path(void **state)
{
	(void)state;
	check_one(overlay_view_open_by_path);
}

/* Each has a file of its own, one that all have, and takes away the one of the layer below. */
static void check_many(open_fn fn)
{
	char name[64];
	int view;

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "layers/%d", i);
		assert_int_equal(mkdir(name, 0755), 0);
		snprintf(name, sizeof name, "layers/%d/all", i);
		put_file(name, i == 0 ? "topmost" : "below");
		snprintf(name, sizeof name, "layers/%d/of-%d", i, i);
		put_file(name, "own");
		snprintf(name, sizeof name, "layers/%d/of-%d", i, i + 1);
		if (i % 2 == 0)
			assert_int_equal(mknod(name, S_IFCHR, makedev(0, 0)), 0);
	}
	view = view_of(fn, MANY);
	assert_text(view, "all", "topmost");
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "of-%d", i);
		assert_int_equal(is_there(view, name), i % 2 == 0);
	}
	close(view);
}

static void test_many(void **state)
{
	(void)state;
	check_many(overlay_view_open);
}

static void test_many_by_path(void **state)
{
	(void)state;
	check_many(overlay_view_open_by_path);
}

/* It is the caller's to attach, under the name that it was given. */
static void check_attached(open_fn fn)
{
	char *table;
	int view;

	make_layers();
	view = view_of(fn, 2);
	assert_int_equal(mkdir("place", 0755), 0);
	assert_int_equal(move_mount(view, "", AT_FDCWD, "place", MOVE_MOUNT_F_EMPTY_PATH), 0);
	close(view);
	table = mount_table();
	assert_contains(table, " - overlay layerbox:a/first ro");
	assert_true(exists("place/etc/passwd"));
	assert_int_equal(umount2("place", 0), 0);
	assert_int_equal(rmdir("place"), 0);
	free(table);
}

static void test_attached(void **state)
{
	(void)state;
	check_attached(overlay_view_open);
}

static void test_attached_by_path(void **state)
{
	(void)state;
	check_attached(overlay_view_open_by_path);
}

static void *make_and_read(void *data)
{
	open_fn fn = *(open_fn *)data;

	for (int i = 0; i < 20; i++) {
		int view = view_of(fn, 2);

		assert_text(view, "etc/hosts", "above");
		close(view);
	}
	return NULL;
}

/* None disturbs the others, nor their current directory: the paths here are relative ones. */
static void test_threads(void **state)
{
	static open_fn ways[] = { overlay_view_open, overlay_view_open_by_path, overlay_view_open_by_path };
	pthread_t threads[3];

	(void)state;
	make_layers();
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_and_read, &ways[i]), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void refuse(open_fn fn)
{
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC), fds[2] = { file, file };
	char error[512];

	assert_true(fn(fds, 0, "x", error, sizeof error) < 0);
	assert_true(*error);
	assert_true(fn(fds, 1000, "x", error, sizeof error) < 0);
	assert_true(*error);
	assert_true(fn(fds, 2, "x", error, sizeof error) < 0);
	assert_true(*error);
	close(file);
	fds[0] = fds[1] = -1;
	assert_true(fn(fds, 2, "x", error, sizeof error) < 0);
	assert_true(*error);
}

static void test_refused(void **state)
{
	(void)state;
	refuse(overlay_view_open);
	refuse(overlay_view_open_by_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_two, begin),
		cmocka_unit_test_setup(test_two_by_path, begin),
		cmocka_unit_test_setup(test_one, begin),
		cmocka_unit_test_setup(test_one_by_path, begin),
		cmocka_unit_test_setup(test_many, begin),
		cmocka_unit_test_setup(test_many_by_path, begin),
		cmocka_unit_test_setup(test_attached, begin),
		cmocka_unit_test_setup(test_attached_by_path, begin),
		cmocka_unit_test_setup(test_threads, begin),
		cmocka_unit_test_setup(test_refused, begin),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
