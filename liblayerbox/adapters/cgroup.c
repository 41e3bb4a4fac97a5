/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "../util/file.h"
#include "mounts.h"

enum { CONTROL_BYTES_MAX = 1 << 20 };

static const char *const controller_names[CGROUP_CONTROLLERS] = { "memory", "cpu", "pids" };

const char *cgroup_controller_name(enum cgroup_controller controller)
{
	return controller_names[controller];
}

/* Is @word one of the comma- or space-separated words of @list? */
static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; p && *p; p += strcspn(p, ", \n"), p += strspn(p, ", \n"))
		if (strncmp(p, word, n) == 0 && strchr(", \n", p[n]))
			return true;
	return false;
}

static void note_controllers(struct cgroup_layout *layout, const char *list, int version)
{
	for (int i = 0; i < CGROUP_CONTROLLERS; i++)
		if (!layout->version[i] && has_word(list, controller_names[i]))
			layout->version[i] = version;
}

/* Something else may be mounted over it: then its controllers are out of reach. */
static bool is_covered(const char *target, long magic)
{
	struct statfs fs;

	return statfs(target, &fs) < 0 || fs.f_type != magic;
}

static int note_hierarchy(const struct mntent *mount, void *userdata)
{
	struct cgroup_layout *layout = userdata;
	bool unified = text_equal(mount->mnt_type, "cgroup2");
	CLEANUP_FREE char *file = NULL;
	CLEANUP_FREE char *controllers = NULL;

	if ((!unified && !text_equal(mount->mnt_type, "cgroup")) || layout->count == CGROUP_HIERARCHIES_MAX ||
	    is_covered(mount->mnt_dir, unified ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC))
		return 0;
	if (unified) {
		file = text_format("%s/cgroup.controllers", mount->mnt_dir);
		if (!file)
			return -ENOMEM;
		if (file_read(AT_FDCWD, file, CONTROL_BYTES_MAX, &controllers, NULL) == 0)
			note_controllers(layout, controllers, 2);
	} else {
		note_controllers(layout, mount->mnt_opts, 1);
	}
	layout->mount_points[layout->count] = strdup(mount->mnt_dir);
	layout->options[layout->count] = unified ? NULL : strdup(mount->mnt_opts);
	layout->count++;
	return layout->mount_points[layout->count - 1] && (unified || layout->options[layout->count - 1]) ? 0 : -ENOMEM;
}

int cgroup_layout_load(struct lb_context *ctx, struct cgroup_layout *ret_layout)
{
	int r;

	*ret_layout = (struct cgroup_layout){ 0 };
	r = mounts_for_each(note_hierarchy, ret_layout);
	if (r < 0) {
		cgroup_layout_free(ret_layout);
		return fail_errno(ctx, r, "cannot read which cgroups this host has from /proc/self/mounts");
	}
	return 0;
}

void cgroup_layout_free(struct cgroup_layout *layout)
{
	for (size_t i = 0; i < layout->count; i++) {
		free(layout->mount_points[i]);
		free(layout->options[i]);
	}
	*layout = (struct cgroup_layout){ 0 };
}

const char *cgroup_mount_point(const struct cgroup_layout *layout, const char *controller, int *ret_version)
{
	const char *unified = NULL;

	*ret_version = 1;
	for (size_t i = 0; i < layout->count; i++) {
		if (layout->options[i] && has_word(layout->options[i], controller))
			return layout->mount_points[i];
		if (!layout->options[i] && !unified)
			unified = layout->mount_points[i];
	}
	*ret_version = 2;
	return unified;
}

/* Opens the list of processes of the version 2 group that this process is in, where such trees usually are. */
static int open_own_processes(void)
{
	static const char *const usual[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };
	CLEANUP_FREE char *groups = NULL;
	const char *own;
	int fd = -1;

	if (file_read(AT_FDCWD, "/proc/self/cgroup", CONTROL_BYTES_MAX, &groups, NULL) < 0)
		return -1;
	own = strstr(groups, "0::/"); /* of version 2, the last line */
	for (size_t i = 0; own && fd < 0 && i < sizeof usual / sizeof *usual; i++) {
		int length = (int)strcspn(own + 3, "\n");
		CLEANUP_FREE char *file = text_format("%s%.*s/cgroup.procs", usual[i], length, own + 3);

		fd = file ? open(file, O_WRONLY | O_CLOEXEC) : -1;
	}
	return fd;
}

pid_t cgroup_hasten(void)
{
	CLEANUP_FD int fd = open_own_processes();
	pid_t pid = fd < 0 ? 0 : _Fork();

	if (fd >= 0 && pid == 0)
		_exit(write(fd, "0", 1) != 1); /* itself, into the group it is in */
	return pid > 0 ? pid : 0;
}

static struct cgroup_item item(int version, const char *key, const char *unlimited, uint64_t amount)
{
	struct cgroup_item made = { .version = version };

	text_copy(made.key, sizeof made.key, key);
	if (amount)
		snprintf(made.value, sizeof made.value, "%llu", (unsigned long long)amount);
	else
		text_copy(made.value, sizeof made.value, unlimited);
	return made;
}

int cgroup_limit_items(const struct cgroup_layout *layout, enum cgroup_controller controller, uint64_t amount,
		       struct cgroup_item ret_items[2])
{
	const uint64_t period_us = 100000;
	int version = layout->version[controller];

	if (!version)
		return 0;
	switch (controller) {
	case CGROUP_MEMORY:
		ret_items[0] = item(version, version == 2 ? "memory.max" : "memory.limit_in_bytes",
				    version == 2 ? "max" : "-1", amount);
		return 1;
	case CGROUP_PIDS:
		ret_items[0] = item(version, "pids.max", "max", amount);
		return 1;
	case CGROUP_CPU:
		if (version == 1) {
			ret_items[0] = item(1, "cpu.cfs_period_us", "", period_us);
			ret_items[1] = item(1, "cpu.cfs_quota_us", "-1", amount * period_us / 1000);
			return 2;
		}
		ret_items[0] = item(2, "cpu.max", "max", amount * period_us / 1000);
		snprintf(ret_items[0].value + strlen(ret_items[0].value), 16, " %u", (unsigned)period_us);
		return 1;
	default:
		return 0;
	}
}

/* 1 where the group has processes, which a walk takes as its end. */
static int has_processes(int fd)
{
	CLEANUP_FREE char *pids = NULL;

	return file_read(fd, "cgroup.procs", CONTROL_BYTES_MAX, &pids, NULL) < 0 || *pids;
}

static int go_on(int fd)
{
	(void)fd;
	return 0;
}

/*
 * Visits @name and all groups below it, until @visit says something else than 0. With @remove, every group below
 * is removed after its visit.
 */
static int walk(int dir_fd, const char *name, int (*visit)(int fd), bool remove)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), r;
	CLEANUP_DIR DIR *dir = take_dir(fd);
	struct dirent *entry;

	if (!dir)
		return -errno;
	r = visit(fd);
	if (r != 0)
		return r;
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
			continue;
		r = walk(fd, entry->d_name, visit, remove);
		if (r != 0)
			return r;
		if (remove)
			unlinkat(fd, entry->d_name, AT_REMOVEDIR);
	}
	return 0;
}

/* The container's name in a group's name of LXC's, or NULL. */
static const char *container_of(const char *group)
{
	const char *name = text_after(group, "lxc.payload.");

	return name ? name : text_after(group, "lxc.monitor.");
}

/*
 * May the groups of @name go? LXC puts -N behind a name that is taken, so `a-1` is either container a-1's or
 * the second of container a; where there is a container a-1, it is that one's.
 */
static bool agreed(const char *name, cgroup_may_remove_fn may_remove, void *userdata)
{
	char shorter[NAME_MAX + 1];
	const char *dash = strrchr(name, '-');
	int answer = may_remove(name, userdata);

	if (answer >= 0)
		return answer;
	if (!dash || !dash[1] || strspn(dash + 1, "0123456789") != strlen(dash + 1))
		return false;
	snprintf(shorter, sizeof shorter, "%.*s", (int)(dash - name), name);
	return may_remove(shorter, userdata) > 0;
}

/* Where LXC's monitors move to when they remove their own group (version 1); it is nobody's when it is empty. */
#define PIVOT "lxc.pivot"

/* Goes through one hierarchy; with @remove false it only counts what could be removed. */
static int sweep_hierarchy(const char *mount_point, cgroup_may_remove_fn may_remove, void *userdata, bool remove)
{
	CLEANUP_DIR DIR *dir = opendir(mount_point);
	struct dirent *entry;
	int found = 0;

	while (dir && (entry = readdir(dir))) {
		const char *name = container_of(entry->d_name);

		if (text_equal(entry->d_name, PIVOT))
			found += remove ? unlinkat(dirfd(dir), PIVOT, AT_REMOVEDIR) == 0 : 1;
		/* Asked twice: most are those of running containers; and this one may be starting by now. */
		if (!name || !agreed(name, may_remove, userdata) ||
		    walk(dirfd(dir), entry->d_name, has_processes, false) != 0 || !agreed(name, may_remove, userdata))
			continue;
		if (remove) {
			walk(dirfd(dir), entry->d_name, go_on, true);
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
		}
		found++;
	}
	return found;
}

int cgroup_remove_leftovers(const struct cgroup_layout *layout, cgroup_may_remove_fn may_remove, void *userdata)
{
	int removed = 0;

	/*
	 * LXC makes the same groups in every hierarchy, so the first tells whether the others are worth a look; it
	 * comes last, so that it still tells when this is killed in between.
	 */
	if (!layout->count || !sweep_hierarchy(layout->mount_points[0], may_remove, userdata, false))
		return 0;
	for (size_t i = layout->count; i-- > 0;)
		removed += sweep_hierarchy(layout->mount_points[i], may_remove, userdata, true);
	return removed;
}

bool cgroup_has_groups(const struct cgroup_layout *layout, const char *name)
{
	static const char *const prefixes[] = { "lxc.monitor", "lxc.payload" };

	for (size_t i = 0; layout->count && i < sizeof prefixes / sizeof *prefixes; i++) {
		CLEANUP_FREE char *group = text_format("%s/%s.%s", layout->mount_points[0], prefixes[i], name);

		if (group && access(group, F_OK) == 0)
			return true;
	}
	return false;
}
