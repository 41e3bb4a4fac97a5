/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * layerbox-hook - what LXC calls at a container's turning points, whoever starts it: layerbox or lxc-start.
 *
 *   pre-start   mounts the root, in the monitor's own mount namespace
 *   post-stop   unmounts it; a container that reboots runs both again in the same namespace
 *   up          sets what bounds and isolates the container on its end of the bridge, which LXC has just made; called
 *               only where there is something to set
 *   clone       refuses: lxc-copy and lxc-snapshot know nothing of layers and would copy an empty directory
 *   destroy     refuses: lxc-destroy would leave the reservation and hit the layers
 *
 * What goes wrong is written to the container's lxc.log, where `layerbox start` finds the cause.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "adapters/apparmor.h"
#include "container/console-log.h"
#include "container/layout.h"
#include "container/record.h"
#include "container/root.h"
#include "container/uplink.h"
#include "core/store.h"
#include "rebase/apply.h"
#include "stream/moving.h"

/* LXC_ROOTFS_PATH is ROOT/containers/NAME/rootfs: cuts @levels components off. */
static bool path_above(const char *path, int levels, char *ret_path, size_t size)
{
	if (!text_copy(ret_path, size, path))
		return false;
	while (levels-- > 0) {
		char *slash = strrchr(ret_path, '/');

		if (!slash || slash == ret_path)
			return false;
		*slash = '\0';
	}
	return true;
}

static void log_failure(int log_fd, const char *name, const char *sentence)
{
	if (log_fd >= 0)
		dprintf(log_fd, "layerbox-hook %s ERROR - %s\n", name, sentence);
	fprintf(stderr, "layerbox: %s\n", sentence);
}

/* The namespace must be the monitor's own, or the mounts would stay on the host. */
static bool has_own_mount_namespace(void)
{
	struct stat own, init;

	return stat("/proc/self/ns/mnt", &own) < 0 || stat("/proc/1/ns/mnt", &init) < 0 || own.st_ino != init.st_ino;
}

static int open_log(const char *root, const char *name)
{
	CLEANUP_FREE char *path = text_format("%s/" STORE_CONTAINERS "/%s/" LAYOUT_LOG, root, name);

	return path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
}

static int read_record(struct lb_context *ctx, const char *name, struct record *ret_record)
{
	CLEANUP_FREE char *path = store_path(ctx, STORE_CONTAINERS "/%s", name);
	CLEANUP_FD int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return record_read(ctx, fd, name, ret_record);
}

/* The port of a monitor that was killed a moment ago may still be there, and LXC would fail to make its own. */
static void clear_port(struct lb_context *ctx, const struct record *record)
{
	CLEANUP_TEXT_LIST struct text_list ports = { 0 };
	char port[PORT_NAME_SIZE];

	uplink_name(ctx, record, port);
	if (text_list_add(&ports, port) == 0)
		uplink_delete(ctx, &ports);
}

/* One that is on its way to another host, or from there, runs on one of them alone. */
static int refuse_moving(struct lb_context *ctx, const char *name)
{
	CLEANUP_FREE char *path = store_path(ctx, STORE_CONTAINERS "/%s", name);
	CLEANUP_FD int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

	if (fd < 0)
		return path ? fail_errno(ctx, errno, "cannot open %s", path) : fail_memory(ctx);
	return moving_before_start(ctx, fd, name, false);
}

static int pre_start(struct lb_context *ctx, const char *name)
{
	struct record record = { 0 };
	int r;

	if (!has_own_mount_namespace())
		return fail(ctx, -EINVAL,
			    "lxc.monitor.unshare = 1 is missing in the configuration of container '%s': its root would "
			    "be "
			    "mounted for the whole host",
			    name);
	root_unmount(ctx, name);
	r = refuse_moving(ctx, name);
	if (r == 0)
		r = rebase_recover_unlocked(ctx, name);
	if (r == 0)
		r = read_record(ctx, name, &record);
	if (r < 0)
		return r;
	clear_port(ctx, &record);
	r = console_log_prepare(ctx, name);
	if (r == 0)
		r = root_mount(ctx, name, &record);
	record_free(&record);
	return r;
}

/*
 * The container's directory is covered where the monitor runs: here, in a mount namespace of our own, it is laid open.
 * A rate that the kernel cannot enforce is told to the log and keeps nobody from starting, as with other limits;
 * isolation that is missing does.
 */
static int net_up(struct lb_context *ctx, const char *root, const char *name, const char *port, int *ret_log_fd)
{
	struct record record = { 0 };
	int r;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail_errno(ctx, errno, "cannot make a mount namespace");
	root_unmount(ctx, name);
	*ret_log_fd = open_log(root, name);
	r = read_record(ctx, name, &record);
	if (r < 0)
		return r;
	r = uplink_apply(ctx, port, &record);
	record_free(&record);
	if (r != -LB_ERR_KERNEL)
		return r;
	log_failure(*ret_log_fd, name, lb_context_error(ctx));
	return 0;
}

/* lxc-copy and the like do not show what a hook prints: tell whoever called it. */
static int refuse(const char *name, const char *what)
{
	char path[64];
	CLEANUP_FD int fd = -1;

	snprintf(path, sizeof path, "/proc/%d/fd/2", getppid());
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	dprintf(fd >= 0 ? fd : STDERR_FILENO,
		"layerbox: container '%s' stands on layers that LXC's own tools do not know: %s\n", name, what);
	return EXIT_FAILURE;
}

/* What lxc-copy has begun of a copy, and destroys again after our refusal, is a config without a record. */
static bool is_ours(void)
{
	const char *config = getenv("LXC_CONFIG_FILE");
	char directory[4096];
	CLEANUP_FREE char *record = NULL;

	if (!config || !path_above(config, 1, directory, sizeof directory))
		return true;
	record = text_format("%s/" RECORD_FILE, directory);
	return !record || access(record, F_OK) == 0;
}

int main(void)
{
	const char *type = getenv("LXC_HOOK_TYPE"), *name = getenv("LXC_NAME"), *rootfs = getenv("LXC_ROOTFS_PATH");
	const char *port = getenv("LXC_NET_PEER");
	char root[4096];
	struct lb_context *ctx = NULL;
	CLEANUP_FD int log_fd = -1;
	int r;

	if (type && name && text_equal(type, "clone"))
		return refuse(name, "lxc-copy and lxc-snapshot would copy nothing of it");
	if (type && name && text_equal(type, "destroy"))
		return !is_ours() ? EXIT_SUCCESS
				  : refuse(name, "use `layerbox delete`, which also gives its address back");
	if (rootfs && text_after(rootfs, "dir:"))
		rootfs = text_after(rootfs, "dir:");
	if (!type || !name || !rootfs || !name_is_valid(name) || !path_above(rootfs, 3, root, sizeof root)) {
		fprintf(stderr, "layerbox-hook: is called by LXC, for containers of layerbox\n");
		return 2;
	}
	apparmor_leave_profile();
	r = lb_context_new(&(struct lb_context_options){ .size = sizeof(struct lb_context_options), .root = root },
			   &ctx);
	if (r == 0 && text_equal(type, "post-stop")) {
		root_unmount(ctx, name);
	} else if (r == 0 && text_equal(type, "pre-start")) {
		root_unmount(ctx, name); /* what covers the log */
		log_fd = open_log(root, name);
		r = pre_start(ctx, name);
	} else if (r == 0 && text_equal(type, "up") && port) {
		r = net_up(ctx, root, name, port, &log_fd);
	}
	if (r < 0)
		log_failure(log_fd, name, lb_context_error(ctx));
	lb_context_free(ctx);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
