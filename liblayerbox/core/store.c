/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/file.h>

#include "../util/file.h"
#include "../util/tree.h"

enum { DATA_BYTES_MAX = 1 << 20 };

/* Of the root and STORE_NETWORK: whoever could read them could flock(2) them, and bar the way for all. */
enum { LOCKED_MODE = 0711 };

/* 0711 where a container's root (an unprivileged id of the host) or dnsmasq's user must pass through. */
static const struct {
	const char *name;
	mode_t mode;
} directories[] = {
	{ STORE_BASES, 0711 },	   { STORE_CONTAINERS, 0711 }, { STORE_INCLUDE, 0755 },
	{ STORE_TEMPLATES, 0755 }, { STORE_RECIPES, 0755 },    { STORE_NETWORK, LOCKED_MODE },
	{ STORE_LAYERS, 0700 },
};

int store_open(struct lb_context *ctx)
{
	int fd;

	if (ctx->root_fd >= 0)
		return 0;
	fd = open(ctx->config.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Who is not root can still pass through it: to the logs, say. */
	if (fd < 0 && errno == EACCES)
		fd = open(ctx->config.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return fail(ctx, -ENOENT,
			    "the root %s does not exist; make it with `layerbox init`, or name another with --root",
			    ctx->config.root);
	if (fd < 0)
		return fail_errno(ctx, errno, "cannot open the root %s", ctx->config.root);
	/* Both, since podman's /etc/containers, for one, does not make a root of /etc. */
	if (faccessat(fd, STORE_CONTAINERS, F_OK, 0) < 0 || faccessat(fd, STORE_BASES, F_OK, 0) < 0) {
		close_fd(fd);
		return fail(ctx, -ENOENT,
			    "%s is not a layerbox root: it has no directories %s and %s; prepare it with `layerbox "
			    "init`",
			    ctx->config.root, STORE_CONTAINERS, STORE_BASES);
	}
	ctx->root_fd = fd;
	return 0;
}

/* Makes one directory of the root with its mode, whatever the umask; 1 where it is there already. */
static int make_directory(struct lb_context *ctx, int root_fd, const char *name, mode_t mode)
{
	struct stat st;

	if (mkdirat(root_fd, name, mode) == 0) {
		if (fchmodat(root_fd, name, mode, 0) == 0)
			return 0;
	} else if (errno == EEXIST && fstatat(root_fd, name, &st, 0) == 0) {
		if (S_ISDIR(st.st_mode))
			return 1;
		errno = ENOTDIR;
	}
	return fail_errno(ctx, errno, "cannot make the directory %s/%s", ctx->config.root, name);
}

/* Older versions made them 0755. What the operator has closed further stays so. */
static int close_directory(int root_fd, const char *name, bool repair)
{
	struct stat st;

	if (fstatat(root_fd, name, &st, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!(st.st_mode & S_IROTH))
		return 0;
	return repair && fchmodat(root_fd, name, st.st_mode & (07000 | LOCKED_MODE), 0) < 0 ? -errno : 1;
}

int store_close_locks(struct lb_context *ctx, bool repair)
{
	int root, network, r = store_open(ctx);

	if (r < 0)
		return r;
	root = close_directory(ctx->root_fd, ".", repair);
	network = close_directory(ctx->root_fd, STORE_NETWORK, repair);
	if (root < 0 || network < 0)
		return fail_errno(ctx, root < 0 ? root : network, "cannot make %s%s 0711", ctx->config.root,
				  root < 0 ? "" : "/" STORE_NETWORK);
	return root || network;
}

int store_prepare(struct lb_context *ctx)
{
	CLEANUP_FD int root_fd = -1;
	int existed, r;

	existed = tree_make_directories(AT_FDCWD, ctx->config.root, 0755);
	if (existed < 0)
		return fail_errno(ctx, existed, "cannot make the root %s", ctx->config.root);
	root_fd = open(ctx->config.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0 || (!existed && fchmod(root_fd, LOCKED_MODE) < 0))
		return fail_errno(ctx, errno, "cannot open the root %s", ctx->config.root);
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
		r = make_directory(ctx, root_fd, directories[i].name, directories[i].mode);
		if (r < 0)
			return r;
		existed = existed && r;
	}
	if (!existed && fsync(root_fd) < 0)
		return fail_errno(ctx, errno, "cannot write %s to disk", ctx->config.root);
	r = store_close_locks(ctx, true);
	return r < 0 ? r : existed && !r;
}

int store_open_directory(struct lb_context *ctx, const char *relative)
{
	int fd, r = store_open(ctx);

	if (r < 0)
		return r;
	fd = openat(ctx->root_fd, relative, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		return fail(ctx, -LB_ERR_NOT_ROOT, "only root may read %s/%s; run it again with sudo", ctx->config.root,
			    relative);
	if (fd < 0)
		return fail_errno(ctx, errno, "cannot open %s/%s", ctx->config.root, relative);
	return fd;
}

char *store_path(struct lb_context *ctx, const char *format, ...)
{
	CLEANUP_BUFFER struct buffer path = { 0 };
	char rest[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(rest, sizeof rest, format, args);
	va_end(args);
	buffer_format(&path, "%s/%s", ctx->config.root, rest);
	return buffer_finish(&path);
}

int store_read_data(struct lb_context *ctx, const char *directory, const char *name, char **ret_text, char **ret_path)
{
	CLEANUP_FREE char *path = store_path(ctx, "%s/%s", directory, name);
	int r;

	if (!path)
		return fail_memory(ctx);
	r = file_read(AT_FDCWD, path, DATA_BYTES_MAX, ret_text, NULL);
	if (r == -ENOENT) {
		free(path);
		path = text_format("%s/%s/%s", PKGDATADIR, directory, name);
		if (!path)
			return fail_memory(ctx);
		r = file_read(AT_FDCWD, path, DATA_BYTES_MAX, ret_text, NULL);
	}
	if (r < 0)
		return fail_errno(ctx, r, "cannot read %s", path);
	if (ret_path)
		*ret_path = TAKE_PTR(path);
	return 0;
}

int store_hide(struct lb_context *ctx, int parent_fd, const char *name, char ret_hidden[128])
{
	uint32_t random = 0;

	for (int tries = 0; tries < 100; tries++) {
		if (getrandom(&random, sizeof random, 0) < 0)
			random = (uint32_t)getpid() + (uint32_t)tries;
		snprintf(ret_hidden, 128, STORE_DELETED_PREFIX "%.63s.%08x", name, random);
		if (renameat2(parent_fd, name, parent_fd, ret_hidden, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return fail_errno(ctx, errno, "cannot move '%s' away", name);
}

/* Removes one hidden directory, unless its maker is alive and so holds its lock. */
static void sweep_one(struct lb_context *ctx, int parent_fd, const char *name, const char *what)
{
	CLEANUP_FD int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat locked, present;
	int r;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	/* Its maker may have put it in place between open and lock, and another begun under the same name. */
	if (fstat(fd, &locked) < 0 || fstatat(parent_fd, name, &present, AT_SYMLINK_NOFOLLOW) < 0 ||
	    locked.st_ino != present.st_ino || locked.st_dev != present.st_dev)
		return;
	r = tree_remove(parent_fd, name);
	if (r < 0)
		log_message(ctx, LB_LOG_WARNING, "what a killed command left of a %s, %s, could not be removed: %s",
			    what, name, strerrordesc_np(-r));
	else
		log_message(ctx, LB_LOG_INFO, "removed what a killed command left of a %s: %s", what, name);
}

static bool is_hidden(const char *name)
{
	return text_after(name, STORE_NEW_PREFIX) || text_after(name, STORE_DELETED_PREFIX);
}

static DIR *open_again(int fd)
{
	return take_dir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

bool store_has_hidden(int parent_fd)
{
	CLEANUP_DIR DIR *dir = open_again(parent_fd);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (is_hidden(entry->d_name))
			return true;
	return false;
}

int store_sweep(struct lb_context *ctx, int parent_fd, const char *what)
{
	CLEANUP_DIR DIR *dir = open_again(parent_fd);
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (is_hidden(entry->d_name))
			sweep_one(ctx, parent_fd, entry->d_name, what);
	return 0;
}

int lb_root_prepare(struct lb_context *ctx)
{
	return store_prepare(ctx);
}
