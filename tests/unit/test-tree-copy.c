/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies of single entries: content, holes, owner, mode, times, attributes; of every type, and nothing followed. */
#include "unit.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "../../liblayerbox/util/cleanup.h"
#include "../../liblayerbox/util/tree-copy.h"

/* user::rw-, user:1000:r--, group::---, mask::r--, other::--- as the kernel keeps it. */
static const unsigned char acl[] = {
	2, 0, 0, 0,
	1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,
	2, 0, 4, 0, 0xe8, 3, 0, 0,
	4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
	16, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
	32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
};

static const struct vfs_cap_data capability = {
	.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
	.data = { { .permitted = 1 << CAP_NET_RAW } },
};

static void age(const char *path)
{
	const struct timespec times[] = { { .tv_sec = 12, .tv_nsec = 34 }, { .tv_sec = -56, .tv_nsec = 78 } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void assert_alike(const char *a, const char *b)
{
	struct stat first, second;

	assert_int_equal(lstat(a, &first), 0);
	assert_int_equal(lstat(b, &second), 0);
	assert_int_equal(first.st_mode, second.st_mode);
	assert_int_equal(first.st_uid, second.st_uid);
	assert_int_equal(first.st_gid, second.st_gid);
	assert_int_equal(first.st_rdev, second.st_rdev);
	assert_int_equal(first.st_mtim.tv_sec, second.st_mtim.tv_sec);
	assert_int_equal(first.st_mtim.tv_nsec, second.st_mtim.tv_nsec);
	assert_int_equal(first.st_atim.tv_sec, second.st_atim.tv_sec);
	if (!S_ISDIR(first.st_mode))
		assert_int_equal(first.st_size, second.st_size);
}

static void copy(const char *from, const char *to)
{
	assert_int_equal(tree_copy_entry(AT_FDCWD, from, AT_FDCWD, to, NULL), 0);
}

static void assert_xattr(const char *path, const char *name, const void *expected, ssize_t size)
{
	char value[256];

	assert_int_equal(lgetxattr(path, name, value, sizeof value), size);
	if (size > 0)
		assert_memory_equal(value, expected, (size_t)size);
}

static void test_file(void **state)
{
	struct stat like = { .st_mode = S_IFREG | 0640, .st_uid = 3, .st_gid = 4, .st_mtim = { .tv_sec = 9 } }, st;

	(void)state;
	need_root();
	put_file("file", "content");
	assert_int_equal(chown("file", 1000, 1001), 0);
	assert_int_equal(chmod("file", 06711), 0);
	assert_int_equal(setxattr("file", "security.capability", &capability, sizeof capability, 0), 0);
	assert_int_equal(setxattr("file", "trusted.name", "value", 5, 0), 0);
	assert_int_equal(setxattr("file", "trusted.empty", "", 0, 0), 0);
	assert_int_equal(setxattr("file", "trusted.overlay.origin", "x", 1, 0), 0);
	assert_int_equal(setxattr("file", "trusted.overlay.overlay.origin", "y", 1, 0), 0);
	age("file");
	copy("file", "copy");
	age("file");
	assert_alike("file", "copy");
	assert_xattr("copy", "security.capability", &capability, sizeof capability);
	assert_xattr("copy", "trusted.name", "value", 5);
	assert_xattr("copy", "trusted.empty", "", 0);
	assert_xattr("copy", "trusted.overlay.origin", NULL, -1);
	assert_xattr("copy", "trusted.overlay.overlay.origin", "y", 1);
	assert_int_equal(tree_copy_entry(AT_FDCWD, "file", AT_FDCWD, "copy", NULL), -EEXIST);
	assert_int_equal(tree_copy_entry(AT_FDCWD, "none", AT_FDCWD, "other", NULL), -ENOENT);
	assert_int_equal(tree_copy_entry(AT_FDCWD, "file", AT_FDCWD, "like", &like), 0);
	assert_int_equal(lstat("like", &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(st.st_uid, 3);
	assert_int_equal(st.st_mtim.tv_sec, 9);
	assert_xattr("like", "security.capability", &capability, sizeof capability);
}

static void test_acl(void **state)
{
	(void)state;
	put_file("acl", "");
	assert_int_equal(setxattr("acl", "system.posix_acl_access", acl, sizeof acl, 0), 0);
	copy("acl", "acl-copy");
	assert_xattr("acl-copy", "system.posix_acl_access", acl, sizeof acl);
	assert_alike("acl", "acl-copy");
}

/* What a default ACL gives to new entries is not what their sources have. */
static void test_acl_of_the_directory(void **state)
{
	(void)state;
	put_file("plain-file", "x");
	assert_int_equal(chmod("plain-file", 0640), 0);
	assert_int_equal(mkdir("plain-directory", 0750) | mkdir("with-default", 0755) | symlink("x", "plain-link"), 0);
	assert_int_equal(setxattr("with-default", "system.posix_acl_default", acl, sizeof acl, 0), 0);
	copy("plain-file", "with-default/file");
	copy("plain-directory", "with-default/directory");
	copy("plain-link", "with-default/link");
	assert_xattr("with-default/file", "system.posix_acl_access", NULL, -1);
	assert_xattr("with-default/directory", "system.posix_acl_access", NULL, -1);
	assert_xattr("with-default/directory", "system.posix_acl_default", NULL, -1);
	assert_alike("plain-file", "with-default/file");
	assert_alike("plain-directory", "with-default/directory");
}

static void test_types(void **state)
{
	static const char *const names[] = { "link", "dangling", "directory", "fifo", "socket", "device", "whiteout" };

	(void)state;
	need_root();
	assert_int_equal(symlink("file", "link"), 0);
	assert_int_equal(symlink("/nowhere/at/all", "dangling"), 0);
	assert_int_equal(mkdir("directory", 0755), 0);
	put_file("directory/inside", "x");
	assert_int_equal(chmod("directory", 03751), 0);
	assert_int_equal(setxattr("directory", "trusted.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(setxattr("directory", "trusted.overlay.impure", "y", 1, 0), 0);
	assert_int_equal(setxattr("directory", "trusted.overlay.uuid", "y", 1, 0), 0);
	assert_int_equal(mkfifo("fifo", 0641), 0);
	assert_int_equal(mknod("socket", S_IFSOCK | 0604, 0), 0);
	assert_int_equal(mknod("device", S_IFBLK | 0660, makedev(259, 70000)), 0);
	assert_int_equal(mknod("whiteout", S_IFCHR, 0), 0);
	alarm(10);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char to[32];

		snprintf(to, sizeof to, "%s-copy", names[i]);
		assert_int_equal(lchown(names[i], 12, 13), 0);
		assert_int_equal(lsetxattr(names[i], "trusted.name", names[i], 4, 0), 0);
		age(names[i]);
		copy(names[i], to);
		age(names[i]);
		assert_alike(names[i], to);
		assert_xattr(to, "trusted.name", names[i], 4);
	}
	alarm(0);
	assert_false(exists("directory-copy/inside"));
	assert_xattr("directory-copy", "trusted.overlay.opaque", "y", 1);
	assert_xattr("directory-copy", "trusted.overlay.impure", NULL, -1);
	assert_xattr("directory-copy", "trusted.overlay.uuid", NULL, -1);
}

/* Holes at both ends and between, and more than one piece of data. */
static void test_holes(void **state)
{
	static char data[300000], back[300000];
	struct stat st;
	int fd = open("sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)(i * 7 + i / 251 + 1);
	assert_int_equal(pwrite(fd, data, sizeof data, 40 << 20), sizeof data);
	assert_int_equal(pwrite(fd, data, 5, 90 << 20), 5);
	assert_int_equal(ftruncate(fd, 200 << 20), 0);
	close(fd);
	copy("sparse", "sparse-copy");
	fd = open("sparse-copy", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 200 << 20);
	assert_true(st.st_blocks < 4000);
	assert_int_equal(pread(fd, back, sizeof back, 40 << 20), sizeof back);
	assert_memory_equal(data, back, sizeof data);
	assert_int_equal(pread(fd, back, 6, 90 << 20), 6);
	assert_memory_equal(data, back, 5);
	assert_int_equal(back[5], 0);
	close(fd);
}

/* From one file system to another the kernel may not be able to; small files of /proc have no size. */
static void test_between_file_systems(void **state)
{
	char from[256], text[16] = "";
	CLEANUP_FD int fd = -1;
	int other = open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	if (other < 0)
		skip();
	snprintf(from, sizeof from, "layerbox-unit.%d", (int)getpid());
	fd = openat(other, from, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "elsewhere", 9), 9);
	assert_int_equal(tree_copy_entry(other, from, AT_FDCWD, "from-elsewhere", NULL), 0);
	assert_int_equal(unlinkat(other, from, 0), 0);
	close(other);
	close(take_fd(&fd));
	fd = open("from-elsewhere", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof text), 9);
	assert_string_equal(text, "elsewhere");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),  cmocka_unit_test(test_acl),
		cmocka_unit_test(test_types), cmocka_unit_test(test_holes),
		cmocka_unit_test(test_between_file_systems), cmocka_unit_test(test_acl_of_the_directory),
	};

	return cmocka_run_group_tests_name("tree-copy", tests, scratch_enter, scratch_leave);
}
