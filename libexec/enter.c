/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "enter.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>

#include "adapters/lxc-command.h"
#include "adapters/overlay.h"
#include "container/layout.h"
#include "container/record.h"
#include "container/root.h"
#include "core/store.h"
#include "rebase/apply.h"

/* The last steps: the namespace's root, and / moved. */
static int become_root_of(struct lb_context *ctx, const char *name, int userns_fd, int root_fd)
{
	if (userns_fd >= 0 && setns(userns_fd, CLONE_NEWUSER) < 0)
		return fail_errno(ctx, errno, "cannot enter the user namespace of container '%s'", name);
	if (userns_fd >= 0 && (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		return fail_errno(ctx, errno, "cannot become root of container '%s'", name);
	if (fchdir(root_fd) < 0 || chroot(".") < 0)
		return fail_errno(ctx, errno, "cannot enter the root of container '%s'", name);
	return 0;
}

static int open_of(pid_t pid, const char *what, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int enter_running(struct lb_context *ctx, const char *name, const struct record *record, pid_t pid)
{
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);
	CLEANUP_FD int mount_fd = open_of(pid, "ns/mnt", O_RDONLY);
	CLEANUP_FD int user_fd = record->privileged ? -1 : open_of(pid, "ns/user", O_RDONLY);
	CLEANUP_FD int root_fd = open_of(pid, "root", O_PATH | O_DIRECTORY);
	struct lxc_answer answer;

	/* Only now is it sure that the pid was the container's when it was opened. */
	if (!lxcpath || mount_fd < 0 || root_fd < 0 || (user_fd < 0 && !record->privileged) ||
	    lxc_command_query(lxcpath, name, &answer) < 0 || answer.pid != pid)
		return fail(ctx, -LB_ERR_NOT_RUNNING, "container '%s' stopped at this moment; try again", name);
	if (setns(mount_fd, CLONE_NEWNS) < 0)
		return fail_errno(ctx, errno, "cannot enter the mount namespace of container '%s'", name);
	return become_root_of(ctx, name, user_fd, root_fd);
}

static int enter_stopped(struct lb_context *ctx, const char *name, const struct record *record)
{
	CLEANUP_FREE char *rootfs = store_path(ctx, STORE_CONTAINERS "/%s/" LAYOUT_ROOTFS, name);
	CLEANUP_FD int user_fd = -1;
	CLEANUP_FD int root_fd = -1;
	int r;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail_errno(ctx, errno, "cannot make a mount namespace");
	r = root_mount(ctx, name, record);
	if (r < 0)
		return r;
	root_fd = rootfs ? open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (root_fd < 0)
		return fail_errno(ctx, errno, "cannot open the root of container '%s'", name);
	if (!record->privileged) {
		user_fd = overlay_user_namespace(record->id_start, record->id_count);
		if (user_fd < 0)
			return fail_errno(ctx, user_fd, "cannot make a user namespace");
	}
	return become_root_of(ctx, name, user_fd, root_fd);
}

/* What a killed rebase left half-switched must not be seen. */
static int recover_and_enter(struct lb_context *ctx, const char *name, int directory_fd, struct record *record)
{
	int r = rebase_recover(ctx, name, directory_fd, record);

	return r < 0 ? r : enter_stopped(ctx, name, record);
}

int enter_container(struct lb_context *ctx, const char *name)
{
	CLEANUP_FREE char *directory = store_path(ctx, STORE_CONTAINERS "/%s", name);
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);
	CLEANUP_FD int fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
	struct record record = { 0 };
	struct lxc_answer answer;
	int r = record_read(ctx, fd, name, &record);

	if (r < 0 || !lxcpath)
		return r;
	r = lxc_command_query(lxcpath, name, &answer);
	if (r < 0)
		r = fail_errno(ctx, r, "the monitor of container '%s' does not answer", name);
	else if (answer.pid)
		r = enter_running(ctx, name, &record, answer.pid);
	else if (answer.state == LB_STATE_STOPPED)
		r = recover_and_enter(ctx, name, fd, &record);
	else
		r = fail(ctx, -LB_ERR_BUSY, "container '%s' is %s; try again", name, lb_state_name(answer.state));
	record_free(&record);
	return r;
}
