/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../../liblayerbox/util/cleanup.h"

static int here(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Makes @levels directories "d", one in the other, below @name, with a file in each. */
static void make_deep(const char *name, int levels)
{
	int fd;

	assert_int_equal(mkdir(name, 0755), 0);
	fd = here(name);
	for (int i = 0; i < levels; i++) {
		int file = openat(fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644), next;

		assert_int_equal(write(file, "x", 1), 1);
		close(file);
		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		assert_int_equal(mkdirat(fd, "sibling", 0755), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
}

static void make_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(path) < sizeof address.sun_path);
	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
}

static void test_remove_everything_there_is(void **state)
{
	static const char *const names[] = { "zoo/-rf", "zoo/--", "zoo/ ", "zoo/*", "zoo/\n\x1b[31m", "zoo/\xff\xfe",
					     "zoo/.deep.0", "zoo/...", "zoo/read-only/file" };

	(void)state;
	assert_int_equal(mkdir("zoo", 0755), 0);
	assert_int_equal(mkdir("zoo/read-only", 0755), 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		put_file(names[i], "x");
	assert_int_equal(link("zoo/-rf", "zoo/hard-link"), 0);
	assert_int_equal(mkfifo("zoo/fifo", 0600), 0);
	make_socket("zoo/socket");
	assert_int_equal(chmod("zoo/read-only", 0500), 0);
	assert_int_equal(chmod("zoo", 0500), 0);
	need_root();
	assert_int_equal(mknod("zoo/whiteout", S_IFCHR, 0), 0);
	alarm(60);
	assert_int_equal(tree_remove(AT_FDCWD, "zoo"), 0);
	alarm(0);
	assert_false(exists("zoo"));
}

static void test_remove_follows_no_link(void **state)
{
	(void)state;
	assert_int_equal(mkdir("outside", 0755), 0);
	put_file("outside/kept", "x");
	assert_int_equal(mkdir("links", 0755), 0);
	assert_int_equal(symlink("../outside", "links/directory"), 0);
	assert_int_equal(symlink("../outside/kept", "links/file"), 0);
	assert_int_equal(symlink("/", "links/root"), 0);
	assert_int_equal(symlink("nowhere", "links/dangling"), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "links"), 0);
	assert_true(exists("outside/kept"));
	assert_int_equal(symlink("outside", "link"), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "link"), 0);
	assert_false(exists("link"));
	assert_true(exists("outside/kept"));
}

static void test_remove_of_little(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(tree_remove(AT_FDCWD, "never-was"), 0);
	put_file("single", "x");
	assert_int_equal(tree_remove(AT_FDCWD, "single"), 0);
	assert_false(exists("single"));
	assert_int_equal(mkdir("a", 0755), 0);
	assert_int_equal(mkdir("a/b", 0755), 0);
	fd = here("a");
	assert_int_equal(tree_remove(fd, "b"), 0);
	assert_false(exists("a/b"));
	assert_true(exists("a"));
	close(fd);
}

static void test_remove_by_a_long_path(void **state)
{
	char path[400] = "";

	(void)state;
	for (int i = 0; i < 3; i++) {
		memset(path + strlen(path), 'p', 100);
		assert_int_equal(mkdir(path, 0755), 0);
		strcat(path, "/");
	}
	strcat(path, "last");
	assert_int_equal(mkdir(path, 0755), 0);
	strcat(path, "/full");
	put_file(path, "x");
	*strrchr(path, '/') = '\0';
	assert_int_equal(tree_remove(AT_FDCWD, path), 0);
	assert_false(exists(path));
}

/* With few descriptors and a small stack, as in a thread of somebody's daemon. */
static void test_remove_a_deep_tree(void **state)
{
	struct rlimit before, few;

	(void)state;
	make_deep("deep", 5000);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "deep"), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_false(exists("deep"));
}

/* Names that the cutting of deep trees would like to use are taken already. */
static void test_remove_deep_and_wide(void **state)
{
	char name[64];

	(void)state;
	assert_int_equal(mkdir("wide", 0755), 0);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "wide/.deep.%d", i);
		make_deep(name, 150);
	}
	assert_int_equal(tree_remove(AT_FDCWD, "wide"), 0);
	assert_false(exists("wide"));
}

static void test_remove_never_enters_a_mount(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(mkdir("precious", 0755), 0);
	put_file("precious/data", "x");
	assert_int_equal(mkdir("host", 0755), 0);
	assert_int_equal(mkdir("host/rootfs", 0755), 0);
	put_file("host/file", "x");
	assert_int_equal(mount("precious", "host/rootfs", NULL, MS_BIND, NULL), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "host"), -EBUSY);
	assert_true(exists("precious/data"));
	assert_int_equal(tree_remove(AT_FDCWD, "host/rootfs"), -EBUSY);
	assert_true(exists("precious/data"));
	assert_int_equal(umount("host/rootfs"), 0);
	put_file("host/file", "x");
	assert_int_equal(mount("precious/data", "host/file", NULL, MS_BIND, NULL), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "host"), -EBUSY);
	assert_int_equal(umount("host/file"), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "host"), 0);
	assert_true(exists("precious/data"));
}

/* Below the depth at which a tree is cut, so that what is above the mount is moved. */
static void test_remove_a_mount_deep_inside(void **state)
{
	char path[256] = "cut", mounted[64];
	int fd;

	(void)state;
	need_root();
	make_deep("cut", 70);
	for (int i = 0; i < 70; i++)
		strcat(path, "/d");
	assert_int_equal(mkdir("dear", 0755), 0);
	put_file("dear/data", "x");
	assert_int_equal(mount("dear", path, NULL, MS_BIND, NULL), 0);
	fd = open(path, O_PATH | O_CLOEXEC);
	assert_int_equal(tree_remove(AT_FDCWD, "cut"), -EBUSY);
	assert_true(exists("dear/data"));
	snprintf(mounted, sizeof mounted, "/proc/self/fd/%d", fd);
	assert_int_equal(umount2(mounted, MNT_DETACH), 0);
	close(fd);
	assert_int_equal(tree_remove(AT_FDCWD, "cut"), 0);
	assert_true(exists("dear/data"));
}

static void test_remove_on_a_read_only_file_system(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(mkdir("ro", 0755), 0);
	assert_int_equal(mount("tmpfs", "ro", "tmpfs", 0, NULL), 0);
	assert_int_equal(mkdir("ro/tree", 0755), 0);
	put_file("ro/tree/file", "x");
	assert_int_equal(mount(NULL, "ro", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "ro/tree/file"), -EROFS);
	assert_true(tree_remove(AT_FDCWD, "ro/tree") < 0);
	assert_int_equal(umount("ro"), 0);
}

static void test_disk_usage(void **state)
{
	uint64_t bytes = 0, again = 0;
	static char block[65536];
	int fd;

	(void)state;
	assert_int_equal(mkdir("usage", 0755), 0);
	assert_int_equal(mkdir("usage/sub", 0755), 0);
	fd = open("usage/sub/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	memset(block, 'x', sizeof block);
	assert_int_equal(write(fd, block, sizeof block), sizeof block);
	fsync(fd);
	close(fd);
	assert_int_equal(tree_disk_usage(AT_FDCWD, "usage", &bytes), 0);
	assert_true(bytes >= 65536 && bytes < 65536 + 20000);
	assert_int_equal(link("usage/sub/file", "usage/other-name"), 0);
	assert_int_equal(symlink("/", "usage/link"), 0);
	assert_int_equal(tree_disk_usage(AT_FDCWD, "usage", &again), 0);
	assert_true(again >= bytes && again < bytes + 8192);
	assert_int_equal(tree_disk_usage(AT_FDCWD, "usage/link", &again), -ENOTDIR);
	assert_int_equal(tree_disk_usage(AT_FDCWD, "nowhere", &again), -ENOENT);
}

static void test_disk_usage_of_a_deep_tree(void **state)
{
	struct rlimit before, few;
	uint64_t bytes = 0;

	(void)state;
	make_deep("usage-deep", 3000);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(tree_disk_usage(AT_FDCWD, "usage-deep", &bytes), 0);
	assert_in_range(bytes, 3000 * 4096, 3000 * 4 * 4096); /* all of it */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "usage-deep"), 0);
}

static void test_make_directories(void **state)
{
	char absolute[256];

	assert_int_equal(tree_make_directories(AT_FDCWD, "m/n/o", 0755), 0);
	assert_true(exists("m/n/o"));
	assert_int_equal(tree_make_directories(AT_FDCWD, "m/n/o", 0755), 1);
	assert_int_equal(tree_make_directories(AT_FDCWD, "m//n/p/", 0755), 0);
	assert_true(exists("m/n/p"));
	assert_int_equal(tree_make_directories(AT_FDCWD, "m//n/p/", 0755), 1);
	snprintf(absolute, sizeof absolute, "%s/x/y", (const char *)*state);
	assert_int_equal(tree_make_directories(AT_FDCWD, absolute, 0755), 0);
	assert_true(exists("x/y"));
	assert_int_equal(tree_make_directories(AT_FDCWD, "/", 0755), 1);
	assert_int_equal(tree_make_directories(AT_FDCWD, "", 0755), -ENOENT);
	put_file("m/file", "x");
	assert_int_equal(tree_make_directories(AT_FDCWD, "m/file/q", 0755), -ENOTDIR);
	assert_int_equal(tree_make_directories(AT_FDCWD, "m/file", 0755), -ENOTDIR);
	assert_int_equal(symlink("n", "m/link"), 0);
	assert_int_equal(tree_make_directories(AT_FDCWD, "m/link", 0755), 1);
}

/* A container's tree with every way out that a customer can lay, and the host's file that must not be reached. */
static int make_hostile_root(const char *outside)
{
	char link[300];

	assert_int_equal(tree_make_directories(AT_FDCWD, "hostile/etc", 0755), 0);
	put_file("hostile/etc/hostname", "inside");
	put_file("secret", "host");
	assert_int_equal(symlink("../secret", "hostile/up"), 0);
	assert_int_equal(symlink("../../../../../../../../../etc", "hostile/far-up"), 0);
	assert_int_equal(symlink("/etc", "hostile/absolute"), 0);
	snprintf(link, sizeof link, "%s/secret", outside);
	assert_int_equal(symlink(link, "hostile/host-path"), 0);
	assert_int_equal(symlink("/proc/self/root", "hostile/magic"), 0);
	assert_int_equal(symlink("loop", "hostile/loop"), 0);
	return here("hostile");
}

static void assert_reads(int root, const char *path, const char *expected)
{
	char text[32] = "";
	int fd = tree_open_in_root(root, path, O_RDONLY, 0);

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(-fd));
	assert_true(read(fd, text, sizeof text - 1) >= 0);
	close(fd);
	assert_string_equal(text, expected);
}

static void test_open_in_root(void **state)
{
	CLEANUP_FD int root = make_hostile_root(*state);
	CLEANUP_FD int made = -1;

	assert_reads(root, "etc/hostname", "inside");
	assert_reads(root, "/etc/hostname", "inside");
	assert_reads(root, "../../../etc/hostname", "inside");
	assert_reads(root, "/../etc/hostname", "inside");
	assert_reads(root, "absolute/hostname", "inside");
	assert_reads(root, "far-up/hostname", "inside");
	assert_int_equal(tree_open_in_root(root, "up", O_RDONLY, 0), -ENOENT);
	assert_int_equal(tree_open_in_root(root, "../secret", O_RDONLY, 0), -ENOENT);
	assert_int_equal(tree_open_in_root(root, "host-path", O_RDONLY, 0), -ENOENT);
	assert_int_equal(tree_open_in_root(root, "loop", O_RDONLY, 0), -ELOOP);
	assert_int_equal(tree_open_in_root(root, "up", O_RDONLY | O_NOFOLLOW, 0), -ELOOP);
	made = tree_open_in_root(root, "../made", O_WRONLY | O_CREAT | O_EXCL, 0640);
	assert_true(made >= 0);
	assert_true(exists("hostile/made"));
	assert_true(fcntl(made, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(tree_remove(AT_FDCWD, "hostile"), 0);
}

static void test_open_in_root_refuses_magic_links(void **state)
{
	CLEANUP_FD int root = make_hostile_root(*state);

	need_root();
	assert_int_equal(mkdir("hostile/proc", 0755), 0);
	assert_int_equal(mount("proc", "hostile/proc", "proc", 0, NULL), 0);
	assert_int_equal(tree_open_in_root(root, "proc/self/root/tmp", O_RDONLY | O_DIRECTORY, 0), -ELOOP);
	assert_int_equal(tree_open_in_root(root, "magic/tmp", O_RDONLY | O_DIRECTORY, 0), -ELOOP);
	assert_int_equal(umount("hostile/proc"), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "hostile"), 0);
}

/* openat2(2) says EAGAIN when something is renamed while it walks a "..": nobody but us wants to know. */
static void test_open_in_root_while_others_rename(void **state)
{
	CLEANUP_FD int root = make_hostile_root(*state);
	pid_t renamer = fork_mortal();

	if (renamer == 0)
		for (;;)
			if (rename("hostile/absolute", "hostile/moved") < 0 || rename("hostile/moved", "hostile/absolute") < 0)
				_exit(1);
	for (int i = 0; i < 3000; i++)
		assert_reads(root, "etc/../etc/../etc/../etc/../etc/hostname", "inside");
	kill(renamer, SIGKILL);
	assert_int_equal(end_of(renamer), 128 + SIGKILL);
	assert_int_equal(tree_remove(AT_FDCWD, "hostile"), 0);
}

static void test_open_parent_in_root(void **state)
{
	static const char *const no_names[] = { "", ".", "..", "/", "etc/", "etc/.", "etc/..", "/.." };
	CLEANUP_FD int root = make_hostile_root(*state);
	const char *name = NULL;
	struct stat st, etc;
	int fd;

	assert_int_equal(stat("hostile/etc", &etc), 0);
	fd = tree_open_parent_in_root(root, "/absolute/shadow", &name);
	assert_true(fd >= 0);
	assert_string_equal(name, "shadow");
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_ino, etc.st_ino);
	close(fd);
	assert_int_equal(stat("hostile", &etc), 0);
	for (int i = 0; i < 3; i++) {
		static const char *const paths[] = { "top", "/top", "../../top" };

		fd = tree_open_parent_in_root(root, paths[i], &name);
		assert_true(fd >= 0);
		assert_string_equal(name, "top");
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_ino, etc.st_ino);
		close(fd);
	}
	assert_int_equal(tree_open_parent_in_root(root, "nowhere/x", &name), -ENOENT);
	for (size_t i = 0; i < sizeof no_names / sizeof *no_names; i++)
		assert_int_equal(tree_open_parent_in_root(root, no_names[i], &name), -EINVAL);
	assert_int_equal(tree_remove(AT_FDCWD, "hostile"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remove_everything_there_is),
		cmocka_unit_test(test_remove_follows_no_link),
		cmocka_unit_test(test_remove_of_little),
		cmocka_unit_test(test_remove_by_a_long_path),
		cmocka_unit_test(test_remove_a_deep_tree),
		cmocka_unit_test(test_remove_deep_and_wide),
		cmocka_unit_test(test_remove_never_enters_a_mount),
		cmocka_unit_test(test_remove_a_mount_deep_inside),
		cmocka_unit_test(test_remove_on_a_read_only_file_system),
		cmocka_unit_test(test_disk_usage),
		cmocka_unit_test(test_disk_usage_of_a_deep_tree),
		cmocka_unit_test(test_make_directories),
		cmocka_unit_test(test_open_in_root),
		cmocka_unit_test(test_open_in_root_refuses_magic_links),
		cmocka_unit_test(test_open_in_root_while_others_rename),
		cmocka_unit_test(test_open_parent_in_root),
	};

	return cmocka_run_group_tests_name("tree", tests, scratch_enter, scratch_leave);
}
