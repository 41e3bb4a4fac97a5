/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "overlay.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../util/file.h"
#include "../util/text.h"
#include "mount-clone.h"

/*
 * index=on loses the content of hard links when an upper becomes a lower, and refuses moved layers;
 * metacopy=on makes uppers that hold no data; redirect_dir=on makes layers that cannot be merged by name.
 * A host's module defaults may be any of these, so all three are always said.
 */
static const struct {
	const char *key, *value;
} options[] = { { "index", "off" }, { "metacopy", "off" }, { "redirect_dir", "off" } };

enum { OPTION_COUNT = sizeof options / sizeof *options };

int overlay_set_options(int fs_fd)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (fsconfig(fs_fd, FSCONFIG_SET_STRING, options[i].key, options[i].value, 0) < 0)
			return -errno;
	return 0;
}

static int write_map(pid_t pid, const char *which, uint32_t id_start, uint32_t id_count)
{
	char path[64], map[64];

	snprintf(path, sizeof path, "/proc/%d/%s", pid, which);
	snprintf(map, sizeof map, "0 %u %u\n", id_start, id_count);
	return file_write_existing(AT_FDCWD, path, map);
}

static int do_nothing(void *unused)
{
	(void)unused;
	while (syscall(SYS_pause) < 0)
		;
	return 0;
}

int overlay_user_namespace(uint32_t id_start, uint32_t id_count)
{
	char path[64];
	_Alignas(16) char stack[2048];
	int fd, r;
	/* A namespace needs a member while it is mapped and opened: a child that does nothing, in the caller's memory. */
	pid_t pid = clone(do_nothing, stack + sizeof stack, CLONE_VM | CLONE_NEWUSER | SIGCHLD, NULL);

	if (pid < 0)
		return -errno;
	r = write_map(pid, "uid_map", id_start, id_count);
	if (r == 0)
		r = write_map(pid, "gid_map", id_start, id_count);
	if (r == 0) {
		snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		r = fd < 0 ? -errno : fd;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return r;
}

struct layers {
	int *lower;                   /* detached mounts; must stay open until the overlay is made */
	size_t lower_count;
	int parent;                   /* detached mount of the directory of upper and work: one mount for both */
	int upper, work;
};

static void layers_close(struct layers *layers)
{
	for (size_t i = 0; i < layers->lower_count; i++)
		close_fd(layers->lower[i]);
	free(layers->lower);
	close_fd(layers->work);
	close_fd(layers->upper);
	close_fd(layers->parent);
}

static int layers_open(const struct overlay_spec *spec, int userns_fd, struct layers *layers)
{
	*layers = (struct layers){ .parent = -1, .upper = -1, .work = -1 };
	layers->lower = calloc(spec->lower_count, sizeof *layers->lower);
	if (!layers->lower)
		return -ENOMEM;
	for (size_t i = 0; i < spec->lower_count; i++) {
		int fd = mount_clone(spec->lower_fds[i], userns_fd, MOUNT_ATTR_RDONLY);

		if (fd < 0)
			return fd;
		layers->lower[layers->lower_count++] = fd;
	}
	layers->parent = mount_clone(spec->layers_fd, userns_fd, 0);
	return layers->parent < 0 ? layers->parent : 0;
}

static int layers_open_upper(const struct overlay_spec *spec, struct layers *layers)
{
	layers->upper = openat(layers->parent, spec->upper, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	layers->work = openat(layers->parent, spec->work, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return layers->upper < 0 || layers->work < 0 ? -errno : 0;
}

/*
 * The overlay works on its layers with the credentials of whoever makes it: they must be ids that the
 * idmapped layers know, or the kernel cannot make work/work and mounts read-only without a word. The
 * capabilities stay, since the securebits say so.
 */
int overlay_become(uint32_t id)
{
	if (cap_set_secbits(SECBIT_NO_SETUID_FIXUP) < 0)
		return -errno;
	if (setresgid(id, id, (gid_t)-1) < 0 || setresuid(id, id, (uid_t)-1) < 0)
		return -errno;
	return 0;
}

void overlay_become_root_again(void)
{
	if (setresuid(0, 0, 0) < 0 || setresgid(0, 0, 0) < 0)
		abort(); /* cannot be: the saved ids are root's and the capabilities were kept */
}

void overlay_explain(int fs_fd, const char *what, int error, char *text, size_t size)
{
	char words[512];
	ssize_t n = read(fs_fd, words, sizeof words - 1);

	words[n > 0 ? n : 0] = '\0';
	snprintf(text, size, "%s: %s%s%s", what, strerrordesc_np(error), n > 0 ? "; the kernel says: " : "",
		 n > 2 && words[1] == ' ' ? text_trim(words + 2) : text_trim(words));
}

/* From Linux 6.13 on layers are given as descriptors. -EOPNOTSUPP, -EINVAL: this kernel wants paths. */
static int make_by_descriptor(const struct overlay_spec *spec, const struct layers *layers, char *error, size_t size)
{
	CLEANUP_FD int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	int mount_fd, r;

	if (fs < 0)
		return -errno;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", "layerbox", 0) < 0)
		return -errno;
	for (size_t i = 0; i < layers->lower_count; i++)
		if (fsconfig(fs, FSCONFIG_SET_FD, "lowerdir+", NULL, layers->lower[i]) < 0)
			return -EOPNOTSUPP;
	if (fsconfig(fs, FSCONFIG_SET_FD, "upperdir", NULL, layers->upper) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_FD, "workdir", NULL, layers->work) < 0)
		return -EOPNOTSUPP;
	r = overlay_set_options(fs);
	if (r == 0 && spec->id_count)
		r = overlay_become(spec->id_start);
	if (r == 0 && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		r = -errno;
	if (spec->id_count)
		overlay_become_root_again();
	mount_fd = r == 0 ? fsmount(fs, FSMOUNT_CLOEXEC, 0) : -1;
	if (r == 0 && mount_fd < 0)
		r = -errno;
	if (r < 0) {
		overlay_explain(fs, "the overlay could not be made", -r, error, size);
		return r;
	}
	return mount_fd;
}

/*
 * Older kernels take one page of options with paths in it, and no detached mounts: the layers are attached
 * beside the target while the overlay, which keeps copies of its own, is made.
 */
static int attach(int place_fd, int tree_fd, unsigned number)
{
	char name[32];

	snprintf(name, sizeof name, ".layer.%u", number);
	if (mkdirat(place_fd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	return move_mount(tree_fd, "", place_fd, name, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

static void detach_all(int place_fd, unsigned count)
{
	char path[64], name[32];

	while (count-- > 0) {
		snprintf(name, sizeof name, ".layer.%u", count);
		snprintf(path, sizeof path, "/proc/self/fd/%d/%s", place_fd, name);
		umount2(path, MNT_DETACH);
		unlinkat(place_fd, name, AT_REMOVEDIR);
	}
}

static char *legacy_options(const struct layers *layers)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	for (size_t i = 0; i < OPTION_COUNT; i++)
		buffer_format(&text, "%s=%s,", options[i].key, options[i].value);
	buffer_format(&text, "upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,lowerdir=", layers->upper,
		      layers->work);
	for (size_t i = 0; i < layers->lower_count; i++)
		buffer_format(&text, "%s/proc/self/fd/%d", i ? ":" : "", layers->lower[i]);
	return buffer_finish(&text);
}

static int mount_by_path(const struct overlay_spec *spec, struct layers *layers, char *error, size_t size)
{
	CLEANUP_FREE char *text = NULL;
	char target[320];
	unsigned attached = 0;
	int r;

	for (size_t i = 0; i < layers->lower_count; i++) {
		r = attach(spec->place_fd, layers->lower[i], attached);
		if (r < 0)
			goto out;
		attached++;
	}
	r = attach(spec->place_fd, layers->parent, attached);
	if (r < 0)
		goto out;
	attached++;
	r = layers_open_upper(spec, layers);
	if (r < 0)
		goto out;
	text = legacy_options(layers);
	r = !text ? -ENOMEM : strlen(text) >= 4096 ? -E2BIG : 0;
	snprintf(target, sizeof target, "/proc/self/fd/%d/%s", spec->place_fd, spec->target);
	if (r == 0 && spec->id_count)
		r = overlay_become(spec->id_start);
	if (r == 0 && mount("layerbox", target, "overlay", 0, text) < 0)
		r = -errno;
	if (spec->id_count)
		overlay_become_root_again();
out:
	detach_all(spec->place_fd, attached);
	if (r < 0)
		snprintf(error, size, "the overlay could not be mounted: %s", strerrordesc_np(-r));
	return r;
}

/* Takes back what the kernel mounted read-only because it could not use the work directory. */
static int check_writable(const struct overlay_spec *spec, char *error, size_t size)
{
	CLEANUP_FD int fd = openat(spec->place_fd, spec->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statvfs st;
	char target[320];

	if (fd < 0 || fstatvfs(fd, &st) < 0)
		return -errno;
	if (!(st.f_flag & ST_RDONLY))
		return 0;
	snprintf(target, sizeof target, "/proc/self/fd/%d/%s", spec->place_fd, spec->target);
	umount2(target, MNT_DETACH);
	snprintf(error, size, "the kernel mounted the overlay read-only: it cannot use the work directory");
	return -EROFS;
}

int overlay_mount(const struct overlay_spec *spec, char *error, size_t size)
{
	CLEANUP_FD int userns_fd = -1;
	CLEANUP_FD int mount_fd = -1;
	struct layers layers;
	int r;

	snprintf(error, size, "%s", "");
	if (spec->id_count) {
		userns_fd = overlay_user_namespace(spec->id_start, spec->id_count);
		if (userns_fd < 0) {
			snprintf(error, size, "a user namespace could not be made: %s", strerrordesc_np(-userns_fd));
			return userns_fd;
		}
	}
	r = layers_open(spec, userns_fd, &layers);
	if (r < 0) {
		snprintf(error, size, "the layers could not be idmapped: %s", strerrordesc_np(-r));
		layers_close(&layers);
		return r;
	}
	mount_fd = -EOPNOTSUPP;
	if (!spec->mount_by_path) {
		r = layers_open_upper(spec, &layers);
		mount_fd = r < 0 ? r : make_by_descriptor(spec, &layers, error, size);
	}
	if (mount_fd == -EOPNOTSUPP) {
		close_fd(take_fd(&layers.upper));
		close_fd(take_fd(&layers.work));
		r = mount_by_path(spec, &layers, error, size);
	} else if (mount_fd < 0) {
		r = mount_fd;
	} else {
		r = move_mount(mount_fd, "", spec->place_fd, spec->target, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
	}
	layers_close(&layers);
	if (r == 0)
		r = check_writable(spec, error, size);
	if (r < 0 && !*error)
		snprintf(error, size, "the overlay could not be mounted: %s", strerrordesc_np(-r));
	return r;
}
