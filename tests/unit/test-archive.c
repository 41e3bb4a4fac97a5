/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packing and unpacking trees: what comes back as it was, what is left out, and what is refused. */
#include "unit.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <sys/xattr.h>
#include <time.h>

#include "../../libexec/archive-pack.h"
#include "../../libexec/archive-unpack.h"
#include "../../liblayerbox/util/file.h"

static const struct archive_unpack_options as_root = { .any_format = true, .keep_owners = true, .id_max = 65535 };
static char error[512];
static int home_fd; /* both functions move the working directory */

static int open_dir(const char *path)
{
	int fd = openat(home_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int pack(const char *directory, const char *path, const char *rename_to, const char *file)
{
	int out = openat(home_fd, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), dir = open_dir(directory), r;

	assert_true(out >= 0);
	r = archive_pack(out, dir, path, rename_to, error, sizeof error);
	close(out);
	close(dir);
	assert_int_equal(fchdir(home_fd), 0);
	return r;
}

static int unpack(const char *file, const char *directory, const struct archive_unpack_options *options)
{
	int in = openat(home_fd, file, O_RDONLY | O_CLOEXEC), dir = open_dir(directory), r;

	assert_true(in >= 0);
	*error = '\0';
	r = archive_unpack(in, dir, options, error, sizeof error);
	close(in);
	close(dir);
	assert_int_equal(fchdir(home_fd), 0);
	return r;
}

static int begin(void **state)
{
	(void)state;
	if (fchdir(home_fd) < 0 || tree_remove(home_fd, "a") < 0 || tree_remove(home_fd, "b") < 0)
		return -1;
	return mkdir("a", 0755) < 0 || mkdir("b", 0755) < 0 ? -1 : 0;
}

static void test_round_trip(void **state)
{
	struct stat before, after;
	int fd;

	(void)state;
	need_root();
	put_file("a/plain", "text");
	assert_int_equal(chown("a/plain", 33, 44), 0);
	assert_int_equal(chmod("a/plain", 06711), 0);
	assert_int_equal(link("a/plain", "a/second"), 0);
	assert_int_equal(symlink("/nowhere", "a/link"), 0);
	assert_int_equal(mkfifo("a/fifo", 0640), 0);
	assert_int_equal(mkdir("a/locked", 0), 0);
	put_file("a/bytes-\xe9", "not UTF-8");
	put_file("a/\xc3\xa9", "UTF-8");
	assert_int_equal(setxattr("a/plain", "security.capability", "\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, 0),
			 0);
	fd = open("a/holes", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(pwrite(fd, "x", 1, 3 << 20), 1);
	assert_int_equal(ftruncate(fd, 9 << 20), 0);
	close(fd);
	assert_int_equal(pack("a", ".", NULL, "t.tar"), 0);
	assert_int_equal(unpack("t.tar", "b", &as_root), 0);
	assert_int_equal(stat("a/plain", &before), 0);
	assert_int_equal(stat("b/plain", &after), 0);
	assert_int_equal(after.st_uid, 33);
	assert_int_equal(after.st_gid, 44);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_nlink, 2);
	assert_memory_equal(&after.st_mtim, &before.st_mtim, sizeof after.st_mtim);
	assert_int_equal(getxattr("b/plain", "security.capability", error, sizeof error), 20);
	assert_int_equal(lstat("b/link", &after), 0);
	assert_int_equal(lstat("b/fifo", &after), 0);
	assert_true(S_ISFIFO(after.st_mode));
	assert_int_equal(stat("b/locked", &after), 0);
	assert_int_equal(after.st_mode & 07777, 0);
	assert_true(exists("b/bytes-\xe9") && exists("b/\xc3\xa9"));
	assert_int_equal(stat("b/holes", &after), 0);
	assert_int_equal(after.st_size, 9 << 20);
	assert_true(after.st_blocks < 1000);
}

/* libarchive takes part of another name for GNU.sparse.name where the file's own does not fit into a plain header. */
static void test_holes_under_any_name(void **state)
{
	static const char *const names[] = {
		"a/\xc3\xa9t\xc3\xa9-which-is-not-plain",
		"a/bytes-\xe9",
		"a/a-directory-with-a-name-that-is-rather-long-but-nothing-out-of-the-ordinary-anywhere-on-earth-these-days-I-say",
	};

	(void)state;
	need_root();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		put_file(names[i], "x");
		assert_int_equal(truncate(names[i], 3 << 20), 0);
	}
	assert_int_equal(pack("a", ".", NULL, "t.tar"), 0);
	assert_int_equal(unpack("t.tar", "b", &as_root), 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[256];
		struct stat st;

		snprintf(path, sizeof path, "b%s", names[i] + 1);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, 3 << 20);
	}
}

static void test_left_out(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(mkdir("a/dir", 0755), 0);
	assert_int_equal(mknod("a/dir/whiteout", S_IFCHR, 0), 0);
	assert_int_equal(setxattr("a/dir", "trusted.overlay.opaque", "y", 1, 0), 0);
	put_file("a/dir/kept", "");
	assert_int_equal(pack("a", ".", NULL, "t.tar"), 0);
	assert_int_equal(unpack("t.tar", "b", &as_root), 0);
	assert_true(exists("b/dir/kept"));
	assert_false(exists("b/dir/whiteout"));
	assert_true(getxattr("b/dir", "trusted.overlay.opaque", NULL, 0) < 0);
}

static void test_rename_and_squash(void **state)
{
	const struct archive_unpack_options squash = { 0 };
	struct stat st;

	(void)state;
	need_root();
	assert_int_equal(mkdir("a/sub", 0755), 0);
	put_file("a/sub/file", "x");
	assert_int_equal(link("a/sub/file", "a/sub/same"), 0);
	assert_int_equal(chown("a/sub/file", 1000, 1000), 0);
	assert_int_equal(pack("a", "sub", "other", "t.tar"), 0);
	assert_int_equal(unpack("t.tar", "b", &squash), 0);
	assert_int_equal(stat("b/other/file", &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(pack("a", "sub/file", "alone", "t.tar"), 0);
	assert_int_equal(unpack("t.tar", "b", &squash), 0);
	assert_true(exists("b/alone"));
	assert_int_equal(pack("a", "missing", NULL, "t.tar"), -ENOENT);
	assert_contains(error, "missing");
}

/* ---- archives that nobody packs by accident ---- */

struct made {
	const char *name;
	mode_t type;
	const char *link; /* of a symbolic link, or where type is 0 of a hard link */
	la_int64_t uid;
};

static void make_archive(const struct made *entries)
{
	struct archive *out = archive_write_new();

	assert_int_equal(archive_write_set_format_pax(out), ARCHIVE_OK);
	assert_int_equal(archive_write_set_options(out, "hdrcharset=BINARY"), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(out, "t.tar"), ARCHIVE_OK);
	for (; entries->name; entries++) {
		struct archive_entry *entry = archive_entry_new();

		archive_entry_set_pathname(entry, entries->name);
		archive_entry_set_mode(entry, (entries->type ? entries->type : AE_IFREG) | 0755);
		archive_entry_set_uid(entry, entries->uid);
		archive_entry_set_size(entry, 0);
		if (entries->link && entries->type)
			archive_entry_set_symlink(entry, entries->link);
		else if (entries->link)
			archive_entry_set_hardlink(entry, entries->link);
		assert_int_equal(archive_write_header(out, entry), ARCHIVE_OK);
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_free(out), ARCHIVE_OK);
}

static void refused(const struct made *entries, const char *sentence)
{
	make_archive(entries);
	assert_true(unpack("t.tar", "b", &as_root) < 0);
	assert_contains(error, sentence);
	assert_false(exists("outside"));
	assert_false(exists("a/outside"));
}

static void test_refused(void **state)
{
	(void)state;
	need_root();
	put_file("a/victim", "secret");
	refused((struct made[]){ { "/tmp/outside", AE_IFREG, NULL, 0 }, { 0 } }, "/tmp/outside would leave");
	refused((struct made[]){ { "x/../../outside", AE_IFREG, NULL, 0 }, { 0 } }, "x/../../outside would leave");
	refused((struct made[]){ { "..", AE_IFDIR, NULL, 0 }, { 0 } }, "would leave");
	refused((struct made[]){ { "l", AE_IFLNK, "../a", 0 }, { "l/outside", AE_IFREG, NULL, 0 }, { 0 } },
		"l/outside");
	refused((struct made[]){ { "l", AE_IFLNK, "../a", 0 }, { "h", 0, "l/victim", 0 }, { 0 } }, "h");
	refused((struct made[]){ { "h", 0, "../a/victim", 0 }, { 0 } }, "h is a hard link to a file outside");
	refused((struct made[]){ { "h", 0, "/etc/passwd", 0 }, { 0 } }, "h is a hard link to a file outside");
	refused((struct made[]){ { "f", AE_IFREG, NULL, 100000 }, { 0 } }, "f belongs to a user or group above 65535");
	refused((struct made[]){ { 0 } }, "is empty");
	refused((struct made[]){ { "bad\33[31m/../x", AE_IFREG, NULL, 0 }, { 0 } }, "bad?[31m");
}

static void test_link_replaced(void **state)
{
	(void)state;
	need_root();
	put_file("a/victim", "secret");
	make_archive((struct made[]){ { "f", AE_IFLNK, "../a/victim", 0 }, { "f", AE_IFREG, NULL, 0 }, { 0 } });
	assert_int_equal(unpack("t.tar", "b", &as_root), 0);
	assert_int_equal(unlink("a/victim"), 0);
	assert_int_equal(access("b/f", F_OK), 0);
}

static void test_cut_off(void **state)
{
	struct stat st;

	(void)state;
	need_root();
	put_file("a/one", "1");
	put_file("a/two", "2");
	assert_int_equal(pack("a", ".", NULL, "t.tar"), 0);
	assert_int_equal(stat("t.tar", &st), 0);
	for (off_t length = st.st_size - 512; length >= 0; length -= 512) {
		assert_int_equal(truncate("t.tar", length), 0);
		if (unpack("t.tar", "b", &as_root) == 0 && length < 4096)
			fail_msg("an archive of %ld bytes was taken for %ld", (long)length, (long)st.st_size);
	}
	put_file("t.tar", "this is no archive at all, however long one looks at it");
	assert_true(unpack("t.tar", "b", &as_root) < 0);
}

/* Who writes the archive into a pipe is not cut off while it writes what fills the last record. */
static void test_writer_is_heard_out(void **state)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	struct archive_unpack_options options = { .id_max = 65535 };
	static const char zeros[128 * 1024];
	CLEANUP_FREE char *text = NULL;
	size_t length;
	int fds[2], dir, status;
	pid_t pid;

	(void)state;
	need_root();
	put_file("a/one", "1");
	assert_int_equal(pack("a", ".", NULL, "t.tar"), 0);
	assert_int_equal(file_read(home_fd, "t.tar", 1 << 20, &text, &length), 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		if (fd_write_all(fds[1], text, length) < 0)
			_exit(1);
		nanosleep(&pause, NULL);
		_exit(fd_write_all(fds[1], zeros, sizeof zeros) < 0);
	}
	close(fds[1]);
	dir = open_dir("b");
	assert_int_equal(archive_unpack(fds[0], dir, &options, error, sizeof error), 0);
	close(fds[0]);
	close(dir);
	assert_int_equal(fchdir(home_fd), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int enter(void **state)
{
	if (scratch_enter(state) < 0)
		return -1;
	home_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return home_fd < 0 ? -1 : 0;
}

static int leave(void **state)
{
	close(home_fd);
	return scratch_leave(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_round_trip, begin),
		cmocka_unit_test_setup(test_holes_under_any_name, begin),
		cmocka_unit_test_setup(test_left_out, begin),
		cmocka_unit_test_setup(test_rename_and_squash, begin),
		cmocka_unit_test_setup(test_refused, begin),
		cmocka_unit_test_setup(test_link_replaced, begin),
		cmocka_unit_test_setup(test_cut_off, begin),
		cmocka_unit_test_setup(test_writer_is_heard_out, begin),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
