/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "generalise.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "../util/tree.h"

/* ---- what to take away ---- */

enum {
	FILES,                        /* what is not a directory */
	EVERYTHING,
	TRUNCATE,                     /* regular files stay, empty, with their owner and mode */
};

static const struct rule {
	const char *directory, *pattern;
	int action;
} rules[] = {
	/* Who the machine is. machine-id(5): an empty file is filled at the first boot. */
	{ "etc", "machine-id", FILES },
	{ "var/lib/dbus", "machine-id", FILES },
	{ "etc", "hostname", FILES },
	{ "etc", "resolv.conf", FILES },
	{ "etc/ssh", "ssh_host_*", FILES },
	{ "var/lib/systemd", "random-seed", FILES },
	{ "var/lib/systemd", "credential.secret", FILES },
	{ "var/lib/dhcp", "*", FILES },
	{ "var/lib/NetworkManager", "*", FILES },
	{ "var/lib/cloud", "*", EVERYTHING },
	/* What the kernel, LXC and systemd fill anew. */
	{ "dev", "*", EVERYTHING },
	{ "proc", "*", EVERYTHING },
	{ "sys", "*", EVERYTHING },
	{ "run", "*", EVERYTHING },
	{ "tmp", "*", EVERYTHING },
	{ "var/tmp", "*", EVERYTHING },
	/* Package lists and caches. */
	{ "var/lib/apt/lists", "*", EVERYTHING },
	{ "var/cache/apt", "*.bin", FILES },
	{ "var/cache/apt/archives", "*.deb", FILES },
	{ "var/cache/apt/archives", "lock", FILES },
	{ "var/cache/apt/archives", "partial", EVERYTHING }, /* whose it is depends on who made it: apt does */
	{ "var/cache/debconf", "*-old", FILES },
	{ "var/lib/dpkg", "*-old", FILES },
	{ "var/cache/ldconfig", "*", FILES },
	{ "var/cache/dnf", "*", EVERYTHING },
	{ "var/cache/apk", "*", EVERYTHING },
	{ "var/cache/pacman/pkg", "*", EVERYTHING },
	/* What happened on it. */
	{ "var/log", "[wb]tmp", TRUNCATE },
	{ "var/log", "lastlog", TRUNCATE },
	{ "var/log", "faillog", TRUNCATE },
	{ "var/log", "syslog*", FILES },
	{ "var/log", "messages*", FILES },
	{ "var/log", "*.log", FILES },
	{ "var/log", "*.log.*", FILES },
	{ "var/log", "*.[0-9]*", FILES },
	{ "var/log/apt", "*", FILES },
	{ "var/log/journal", "*", EVERYTHING },
	{ "root", ".bash_history", FILES },
	{ "root", ".ash_history", FILES },
	{ "etc", ".pwd.lock", FILES },
};

static int truncate_file(int dir_fd, const char *name)
{
	CLEANUP_FD int fd = openat(dir_fd, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 || ftruncate(fd, 0) < 0 ? -errno : 0;
}

static int treat_entry(int dir_fd, const char *name, int action)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (action == EVERYTHING)
		return tree_remove(dir_fd, name);
	if (S_ISDIR(st.st_mode) || (action == TRUNCATE && !S_ISREG(st.st_mode)))
		return 0;
	if (action == TRUNCATE)
		return truncate_file(dir_fd, name);
	return unlinkat(dir_fd, name, 0) < 0 ? -errno : 0;
}

/* A link to the directory is followed inside the tree; a loop of links, or a file in its place, is passed over. */
static int open_rule_directory(int tree_fd, const char *path)
{
	int fd = tree_open_in_root(tree_fd, path, O_RDONLY | O_DIRECTORY, 0);

	return fd == -ENOTDIR || fd == -ELOOP || fd == -ENOENT ? -ENOENT : fd;
}

static int apply_rule(struct lb_context *ctx, int tree_fd, const struct rule *rule)
{
	int fd = open_rule_directory(tree_fd, rule->directory), r;
	CLEANUP_DIR DIR *dir = take_dir(fd);
	struct dirent *entry;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fail_errno(ctx, fd, "cannot open /%s of the base", rule->directory);
	if (!dir)
		return fail_errno(ctx, errno, "cannot read /%s of the base", rule->directory);
	while ((entry = readdir(dir))) {
		if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
			continue;
		if (fnmatch(rule->pattern, entry->d_name, 0) != 0)
			continue;
		r = treat_entry(fd, entry->d_name, rule->action);
		if (r < 0)
			return fail_errno(ctx, r, "cannot clean /%s/%s of the base", rule->directory,
					  text_printable(entry->d_name));
	}
	return 0;
}

/* ---- what stays ---- */

/* Present and empty: systemd then makes an id of its own at the first boot, without calling it a first boot. */
static int make_empty_machine_id(struct lb_context *ctx, int tree_fd)
{
	const char *name;
	CLEANUP_FD int parent = tree_open_parent_in_root(tree_fd, "etc/machine-id", &name);
	CLEANUP_FD int fd = -1;

	if (parent == -ENOENT) /* an upper layer without: the tree below has it */
		return 0;
	if (parent < 0)
		return fail_errno(ctx, parent, "cannot open /etc of the base");
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
	if (fd < 0 || fchmod(fd, 0444) < 0)
		return fail_errno(ctx, errno, "cannot make an empty /etc/machine-id in the base");
	return 0;
}

static void warn_of_private_keys(struct lb_context *ctx, int tree_fd)
{
	CLEANUP_DIR DIR *dir = take_dir(tree_open_in_root(tree_fd, "etc/ssl/private", O_RDONLY | O_DIRECTORY, 0));
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (*entry->d_name != '.')
			log_message(
				ctx, LB_LOG_WARNING,
				"/etc/ssl/private/%s is part of the base: every container on it will share that key",
				text_printable(entry->d_name));
}

int generalise(struct lb_context *ctx, int tree_fd)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof rules / sizeof *rules; i++)
		r = apply_rule(ctx, tree_fd, &rules[i]);
	if (r == 0 && init_detect(tree_fd) == INIT_SYSTEMD)
		r = make_empty_machine_id(ctx, tree_fd);
	if (r == 0)
		warn_of_private_keys(ctx, tree_fd);
	return r;
}

/* ---- which init ---- */

static bool find(int tree_fd, const char *path, struct stat *ret_st)
{
	CLEANUP_FD int fd = tree_open_in_root(tree_fd, path, O_PATH, 0);

	return fd >= 0 && fstat(fd, ret_st) == 0 && S_ISREG(ret_st->st_mode);
}

static bool is_one_of(int tree_fd, const struct stat *file, const char *const *paths)
{
	struct stat st;

	for (; *paths; paths++)
		if (find(tree_fd, *paths, &st) && st.st_ino == file->st_ino && st.st_dev == file->st_dev)
			return true;
	return false;
}

enum init_kind init_detect(int tree_fd)
{
	static const char *const systemd[] = { "usr/lib/systemd/systemd", "lib/systemd/systemd", NULL };
	static const char *const busybox[] = { "bin/busybox", "usr/bin/busybox", NULL };
	struct stat init;

	if (!find(tree_fd, "sbin/init", &init))
		return INIT_NONE;
	if (is_one_of(tree_fd, &init, systemd))
		return INIT_SYSTEMD;
	return is_one_of(tree_fd, &init, busybox) ? INIT_BUSYBOX : INIT_OTHER;
}
