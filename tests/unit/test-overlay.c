/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root's mount itself, by both ways, each with and without an id map. */
#include "unit.h"

#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "../../liblayerbox/adapters/overlay.h"
#include "../../liblayerbox/util/cleanup.h"

enum { ID_START = 500000, ID_COUNT = 65536 };

static void make_layers(void)
{
	mkdir("base", 0755);
	mkdir("base/etc", 0755);
	mkdir("base/home", 0755);
	assert_int_equal(chown("base/home", 1000, 1000), 0);
	put_file("base/etc/hosts", "from the base");
	put_file("base/etc/gone", "");
	mkdir("box", 0700);
	mkdir("box/top", 0755);
	mkdir("box/work", 0700);
	mkdir("place", 0711);
	mkdir("place/rootfs", 0755);
}

static void remove_layers(void)
{
	umount2("place/rootfs", MNT_DETACH);
	assert_int_equal(tree_remove(AT_FDCWD, "base"), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "box"), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "place"), 0);
}

static int mount_it(uint32_t id_start, uint32_t id_count, bool by_path, char *error)
{
	CLEANUP_FD int base_fd = open("base", O_PATH | O_DIRECTORY);
	CLEANUP_FD int box_fd = open("box", O_PATH | O_DIRECTORY);
	CLEANUP_FD int place_fd = open("place", O_RDONLY | O_DIRECTORY);
	const struct overlay_spec spec = {
		.lower_fds = &base_fd, .lower_count = 1,      .layers_fd = box_fd,     .upper = "top",
		.work = "work",	       .id_start = id_start, .id_count = id_count,    .place_fd = place_fd,
		.target = "rootfs",    .mount_by_path = by_path,
	};

	return overlay_mount(&spec, error, 512);
}

static void assert_owner(const char *path, uid_t uid)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	if (st.st_uid != uid)
		fail_msg("%s belongs to %u, not to %u", path, st.st_uid, uid);
}

/* What root of the container does, with its ids and in a process of its own. */
static int work_inside(void *data)
{
	uint32_t id = *(uint32_t *)data;

	if (setresgid(id, id, id) < 0 || setresuid(id, id, id) < 0)
		return 1;
	put_file("place/rootfs/etc/new", "from the container");
	if (unlink("place/rootfs/etc/gone") < 0)
		return 2;
	return 0;
}

static void check(uint32_t id_start, uint32_t id_count, bool by_path)
{
	char error[512];
	struct statvfs fs;
	struct stat st;
	pid_t pid;

	make_layers();
	if (mount_it(id_start, id_count, by_path, error) < 0)
		fail_msg("%s", error);
	assert_int_equal(getuid(), 0);
	assert_int_equal(geteuid(), 0);
	assert_int_equal(statvfs("place/rootfs", &fs), 0);
	assert_false(fs.f_flag & ST_RDONLY);
	assert_owner("place/rootfs/etc/hosts", id_start);
	assert_owner("place/rootfs/home", id_start + 1000);
	pid = fork_mortal();
	if (pid == 0)
		_exit(work_inside(&id_start));
	assert_int_equal(end_of(pid), 0);
	assert_owner("box/top/etc/new", 0); /* plain ids on disk, whatever the map */
	assert_int_equal(lstat("box/top/etc/gone", &st), 0);
	assert_true(S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0));
	assert_true(exists("base/etc/gone"));
	assert_false(exists("place/.layer.0"));
	remove_layers();
}

static void test_idmapped(void **state)
{
	(void)state;
	need_root();
	check(ID_START, ID_COUNT, false);
}

static void test_idmapped_by_path(void **state)
{
	(void)state;
	need_root();
	check(ID_START, ID_COUNT, true);
}

static void test_plain(void **state)
{
	(void)state;
	need_root();
	check(0, 0, false);
}

static void test_plain_by_path(void **state)
{
	(void)state;
	need_root();
	check(0, 0, true);
}

static void refuse_unusable_work(bool by_path)
{
	char error[512];

	make_layers();
	/* A work directory that the kernel cannot empty makes it mount read-only, without a word: that is no success. */
	mkdir("box/work/work", 0700);
	mkdir("box/work/work/left", 0700);
	mkdir("box/work/work/left/over", 0700);
	mkdir("box/work/work/left/over/deep", 0700);
	assert_int_equal(mount_it(ID_START, ID_COUNT, by_path, error), -EROFS);
	assert_contains(error, "read-only");
	assert_int_equal(umount2("place/rootfs", 0), -1);
	remove_layers();
	make_layers();
	rmdir("box/work");
	put_file("box/work", "no directory");
	assert_true(mount_it(ID_START, ID_COUNT, by_path, error) < 0);
	assert_true(strlen(error) > 0);
	assert_int_equal(umount2("place/rootfs", 0), -1); /* nothing stayed mounted */
	assert_int_equal(getuid(), 0);
	remove_layers();
}

static void test_failure_leaves_nothing(void **state)
{
	(void)state;
	need_root();
	refuse_unusable_work(false);
	refuse_unusable_work(true);
}

static void test_user_namespace(void **state)
{
	int fd = overlay_user_namespace(ID_START, ID_COUNT);
	pid_t pid;

	(void)state;
	need_root();
	assert_true(fd >= 0);
	pid = fork_mortal();
	if (pid == 0)
		_exit(setns(fd, CLONE_NEWUSER) == 0 && setresuid(0, 0, 0) == 0 ? 0 : 1);
	assert_int_equal(end_of(pid), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idmapped),
		cmocka_unit_test(test_idmapped_by_path),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_plain_by_path),
		cmocka_unit_test(test_failure_leaves_nothing),
		cmocka_unit_test(test_user_namespace),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
