/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <dirent.h>
#include <errno.h>

#include "../../liblayerbox/util/cleanup.h"
#include "../../liblayerbox/util/file.h"

enum { PAGES = 64 * 1024 };

static size_t entries_in(const char *path)
{
	CLEANUP_DIR DIR *dir = opendir(path);
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	return count - 2;
}

static void assert_file_is(const char *name, const char *expected)
{
	CLEANUP_FREE char *text = NULL;
	size_t length = 0;

	assert_int_equal(file_read(AT_FDCWD, name, 1 << 20, &text, &length), 0);
	assert_string_equal(text, expected);
	assert_int_equal(length, strlen(expected));
}

static void test_read(void **state)
{
	CLEANUP_FREE char *text = NULL;

	(void)state;
	put_file("plain", "hello\n");
	assert_file_is("plain", "hello\n");
	put_file("empty", "");
	assert_file_is("empty", "");
	assert_int_equal(file_read(AT_FDCWD, "plain", 6, &text, NULL), 0);
	free(TAKE_PTR(text));
	assert_int_equal(file_read(AT_FDCWD, "plain", 5, &text, NULL), -EFBIG);
	assert_int_equal(file_read(AT_FDCWD, "missing", 5, &text, NULL), -ENOENT);
	assert_int_equal(file_read(AT_FDCWD, ".", 5, &text, NULL), -EISDIR);
	assert_null(text);
}

static void test_read_grows_and_is_bounded(void **state)
{
	CLEANUP_FREE char *big = malloc(3 * PAGES + 1), *text = NULL;
	size_t length = 0;

	(void)state;
	memset(big, 'x', 3 * PAGES);
	big[3 * PAGES] = '\0';
	put_file("big", big);
	assert_int_equal(file_read(AT_FDCWD, "big", 3 * PAGES, &text, &length), 0);
	assert_string_equal(text, big);
	assert_int_equal(length, 3 * PAGES);
	free(TAKE_PTR(text));
	assert_int_equal(file_read(AT_FDCWD, "/dev/zero", PAGES, &text, NULL), -EFBIG);
}

static void test_read_follows_no_link_and_waits_for_no_fifo(void **state)
{
	CLEANUP_FREE char *text = NULL;

	(void)state;
	put_file("target", "secret");
	assert_int_equal(symlink("target", "link"), 0);
	assert_int_equal(file_read(AT_FDCWD, "link", 100, &text, NULL), -ELOOP);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	alarm(60);
	assert_int_equal(file_read(AT_FDCWD, "fifo", 100, &text, NULL), 0);
	alarm(0);
	assert_string_equal(text, "");
}

static void test_write(void **state)
{
	CLEANUP_FREE char *absolute = NULL;
	struct stat st;
	mode_t before = umask(077);

	assert_true(asprintf(&absolute, "%s/sub/absolute", (const char *)*state) > 0);
	assert_int_equal(mkdir("sub", 0755), 0);
	assert_int_equal(file_write(AT_FDCWD, "sub/a", "one", 3, 0644, FILE_LAZY), 0);
	assert_int_equal(file_write(AT_FDCWD, "sub/a", "second", 6, 0604, FILE_DURABLE), 0);
	assert_int_equal(file_write(AT_FDCWD, absolute, "", 0, 0600, FILE_DURABLE), 0);
	umask(before);
	assert_file_is("sub/a", "second");
	assert_file_is("sub/absolute", "");
	assert_int_equal(stat("sub/a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	assert_int_equal(entries_in("sub"), 2);
}

static void test_write_replaces_a_link_and_not_its_target(void **state)
{
	struct stat st;

	(void)state;
	put_file("kept", "kept");
	assert_int_equal(symlink("kept", "replaced"), 0);
	assert_int_equal(file_write(AT_FDCWD, "replaced", "new", 3, 0644, FILE_LAZY), 0);
	assert_file_is("kept", "kept");
	assert_int_equal(lstat("replaced", &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void test_write_long_names(void **state)
{
	char name[258] = "";

	(void)state;
	memset(name, 'n', 255);
	assert_int_equal(file_write(AT_FDCWD, name, "x", 1, 0644, FILE_LAZY), 0);
	assert_true(exists(name));
	name[255] = 'n';
	assert_int_equal(file_write(AT_FDCWD, name, "x", 1, 0644, FILE_LAZY), -ENAMETOOLONG);
}

static void test_write_that_fails_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(mkdir("failing", 0755), 0);
	assert_int_equal(mkdir("failing/directory", 0755), 0);
	assert_int_equal(file_write(AT_FDCWD, "failing/directory", "x", 1, 0644, FILE_LAZY), -EISDIR);
	assert_int_equal(file_write(AT_FDCWD, "failing/", "x", 1, 0644, FILE_LAZY), -ENOENT);
	assert_int_equal(file_write(AT_FDCWD, "nowhere/x", "x", 1, 0644, FILE_LAZY), -ENOENT);
	assert_int_equal(entries_in("failing"), 1);
}

static void test_write_on_a_full_disk(void **state)
{
	CLEANUP_FREE char *big = calloc(1, 4 * PAGES);

	(void)state;
	need_root();
	assert_int_equal(mkdir("full", 0755), 0);
	assert_int_equal(mount("tmpfs", "full", "tmpfs", 0, "size=64k"), 0);
	assert_int_equal(file_write(AT_FDCWD, "full/a", "old", 3, 0644, FILE_DURABLE), 0);
	assert_int_equal(file_write(AT_FDCWD, "full/a", big, 4 * PAGES, 0644, FILE_DURABLE), -ENOSPC);
	assert_int_equal(file_write(AT_FDCWD, "full/b", big, 4 * PAGES, 0644, FILE_LAZY), -ENOSPC);
	assert_file_is("full/a", "old");
	assert_int_equal(entries_in("full"), 1);
	assert_int_equal(umount("full"), 0);
}

/* Writes the file over and over, all 'a' and all 'b', until it is killed. */
static void write_forever(void)
{
	static char data[2][PAGES];

	memset(data[0], 'a', PAGES);
	memset(data[1], 'b', PAGES);
	for (unsigned i = 0;; i++)
		if (file_write(AT_FDCWD, "busy/file", data[i % 2], PAGES - i % 7, 0644, FILE_LAZY) < 0)
			_exit(1);
}

static void test_readers_see_all_or_nothing(void **state)
{
	unsigned seen[2] = { 0 };
	pid_t writer;

	(void)state;
	assert_int_equal(mkdir("busy", 0755), 0);
	assert_int_equal(file_write(AT_FDCWD, "busy/file", "a", 1, 0644, FILE_LAZY), 0);
	writer = fork_mortal();
	if (writer == 0)
		write_forever();
	for (int i = 0; i < 2000 || ((!seen[0] || !seen[1]) && i < 200000); i++) {
		CLEANUP_FREE char *text = NULL;
		size_t length = 0;

		assert_int_equal(file_read(AT_FDCWD, "busy/file", PAGES, &text, &length), 0);
		assert_true(length == 1 || length > PAGES - 7);
		assert_int_equal(strspn(text, text[0] == 'a' ? "a" : "b"), length);
		seen[text[0] == 'b']++;
	}
	kill(writer, SIGKILL);
	assert_int_equal(end_of(writer), 128 + SIGKILL);
	assert_true(seen[0] && seen[1]);
}

static void test_create(void **state)
{
	int fds[3] = { -1, -1, -1 }, again = -1;

	(void)state;
	assert_int_equal(mkdir("many", 0755), 0);
	assert_int_equal(file_create(AT_FDCWD, "many/1", "1", 1, 0640, &fds[0]), 0);
	assert_int_equal(file_create(AT_FDCWD, "many/2", "", 0, 0640, &fds[1]), 0);
	fds[2] = open("many", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(files_sync(fds, 3), 0);
	assert_int_equal(file_create(AT_FDCWD, "many/1", "x", 1, 0640, &again), -EEXIST);
	assert_int_equal(again, -1);
	assert_file_is("many/1", "1");
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	assert_int_equal(files_sync(fds, 1), -EBADF);
	assert_int_equal(fd_write_all(fds[0], "x", 1), -EBADF);
}

static void test_write_existing(void **state)
{
	(void)state;
	assert_int_equal(file_write_existing(AT_FDCWD, "not-there", "x"), -ENOENT);
	assert_false(exists("not-there"));
	put_file("there", "....");
	assert_int_equal(file_write_existing(AT_FDCWD, "there", "ab"), 0);
	assert_file_is("there", "ab..");
	assert_int_equal(file_write_existing(AT_FDCWD, "/dev/full", "ab"), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_grows_and_is_bounded),
		cmocka_unit_test(test_read_follows_no_link_and_waits_for_no_fifo),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_replaces_a_link_and_not_its_target),
		cmocka_unit_test(test_write_long_names),
		cmocka_unit_test(test_write_that_fails_leaves_nothing),
		cmocka_unit_test(test_write_on_a_full_disk),
		cmocka_unit_test(test_readers_see_all_or_nothing),
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_write_existing),
	};

	return cmocka_run_group_tests_name("file", tests, scratch_enter, scratch_leave);
}
