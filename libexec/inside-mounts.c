/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inside-mounts.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "util/file.h"
#include "util/text.h"
#include "util/tree.h"

enum { TTY_GROUP = 5 };

static const struct {
	const char *name;
	unsigned major, minor;
} devices[] = {
	{ "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 }, { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

static const struct {
	const char *name, *target;
} links[] = {
	{ "ptmx", "pts/ptmx" },
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};

/* A detached mount of a new file system. @options: key, value ... NULL. */
static int make_mount(const char *type, const char *const *options, unsigned attributes)
{
	CLEANUP_FD int fs = fsopen(type, FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0)
		return -errno;
	for (; *options; options += 2)
		if (fsconfig(fs, FSCONFIG_SET_STRING, options[0], options[1], 0) < 0)
			return -errno;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(fs, FSMOUNT_CLOEXEC, attributes);
	return fd < 0 ? -errno : fd;
}

static int attach(int mount_fd, int root_fd, const char *path)
{
	CLEANUP_FD int target = tree_open_in_root(root_fd, path, O_PATH | O_DIRECTORY, 0);

	if (target < 0)
		return target;
	return move_mount(mount_fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno : 0;
}

static int mount_tmpfs(int root_fd, const char *path, uint32_t owner, const char *mode, const char *size,
		       unsigned attributes)
{
	char id[16];
	const char *const options[] = { "mode", mode, "size", size, "uid", id, "gid", id, NULL };
	CLEANUP_FD int fd = -1;
	int r;

	snprintf(id, sizeof id, "%u", owner);
	fd = make_mount("tmpfs", options, attributes);
	r = fd < 0 ? fd : attach(fd, root_fd, path);
	return r < 0 ? r : take_fd(&fd);
}

static int mount_proc(int root_fd)
{
	const char *const none[] = { NULL };
	CLEANUP_FD int fd = make_mount("proc", none, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

	return fd < 0 ? fd : attach(fd, root_fd, "proc");
}

/* The kernel's settings are for whoever is root of the host, and that may be who is root in the tree. */
static int make_read_only(int root_fd, const char *path)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	CLEANUP_FD int target = tree_open_in_root(root_fd, path, O_PATH, 0);
	CLEANUP_FD int tree = -1;

	if (target < 0)
		return target == -ENOENT ? 0 : target;
	tree = open_tree(target, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0 ||
	    move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* ---- /dev ---- */

/* The host's own node: where a cgroup lets nobody make one. */
static int bind_device(int dev_fd, const char *name)
{
	CLEANUP_FREE char *path = text_format("/dev/%s", name);
	CLEANUP_FD int tree = path ? open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) : -1;
	CLEANUP_FD int fd = -1;

	if (tree < 0)
		return -errno;
	fd = openat(dev_fd, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || move_mount(tree, "", dev_fd, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* One of its own, if that may be: whoever changes its mode, or removes it, then reaches nothing of the host's. */
static int make_device(int dev_fd, const char *name, dev_t number, uint32_t owner)
{
	if (mknodat(dev_fd, name, S_IFCHR | 0666, number) < 0)
		return errno == EPERM ? bind_device(dev_fd, name) : -errno;
	if (fchownat(dev_fd, name, owner, owner, AT_SYMLINK_NOFOLLOW) < 0 || fchmodat(dev_fd, name, 0666, 0) < 0)
		return -errno;
	return 0;
}

static int mount_pts(int dev_fd, uint32_t owner)
{
	char group[16];
	const char *const options[] = { "mode", "0620", "ptmxmode", "0666", "gid", group, NULL };
	CLEANUP_FD int fd = -1;

	snprintf(group, sizeof group, "%u", owner + TTY_GROUP);
	if (mkdirat(dev_fd, "pts", 0755) < 0)
		return -errno;
	fd = make_mount("devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (fd < 0)
		return fd;
	return move_mount(fd, "", dev_fd, "pts", MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

static int mount_dev(int root_fd, uint32_t owner)
{
	CLEANUP_FD int fd = mount_tmpfs(root_fd, "dev", owner, "0755", "4m", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	int r = fd < 0 ? fd : 0;

	for (size_t i = 0; r == 0 && i < sizeof devices / sizeof *devices; i++)
		r = make_device(fd, devices[i].name, makedev(devices[i].major, devices[i].minor), owner);
	for (size_t i = 0; r == 0 && i < sizeof links / sizeof *links; i++)
		r = symlinkat(links[i].target, fd, links[i].name) < 0 ? -errno : 0;
	if (r == 0)
		r = mount_pts(fd, owner);
	if (r == 0 && (mkdirat(fd, "shm", 0700) < 0 || fchownat(fd, "shm", owner, owner, 0) < 0 ||
		       fchmodat(fd, "shm", 01777, 0) < 0))
		r = -errno;
	return r;
}

/* ---- all ---- */

static int explain(int r, const char *path, char *error, size_t size)
{
	snprintf(error, size, "cannot mount its /%s: %s", path, strerrordesc_np(-r));
	return r;
}

int inside_mount_all(int root_fd, uint32_t owner, char *error, size_t size)
{
	CLEANUP_FD int run = -1;
	CLEANUP_FD int tmp = -1;
	int r = mount_proc(root_fd);

	if (r == 0)
		r = make_read_only(root_fd, "proc/sys");
	if (r == 0)
		r = make_read_only(root_fd, "proc/sysrq-trigger");
	if (r < 0)
		return explain(r, "proc", error, size);
	r = mount_dev(root_fd, owner);
	if (r < 0)
		return explain(r, "dev", error, size);
	/* A container's programs may fill them, in no cgroup of the container's. */
	run = mount_tmpfs(root_fd, "run", owner, "0755", owner ? "16m" : "10%", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (run < 0)
		return explain(run, "run", error, size);
	tmp = mount_tmpfs(root_fd, "tmp", owner, "1777", owner ? "256m" : "50%", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return tmp < 0 ? explain(tmp, "tmp", error, size) : 0;
}

int inside_cover_file(int root_fd, const char *path, int scratch_fd, const char *name, const char *content, int mode)
{
	CLEANUP_FD int target = tree_open_in_root(root_fd, path, O_PATH, 0);
	CLEANUP_FD int fd = -1;
	CLEANUP_FD int tree = -1;
	struct stat st;
	int r;

	if (target < 0 || fstat(target, &st) < 0 || !S_ISREG(st.st_mode))
		return 1;
	r = file_create(scratch_fd, name, content, strlen(content), (mode_t)mode, &fd);
	if (r < 0)
		return r;
	tree = open_tree(scratch_fd, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}
