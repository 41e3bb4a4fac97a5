/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of a container say of its name, its addresses and itself, when they come to another one. */
#include "seed.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "../network/plan.h"
#include "../util/file.h"
#include "../util/tree.h"
#include "rerender.h"

#define MACHINE_ID "etc/machine-id"
#define DBUS_MACHINE_ID "var/lib/dbus/machine-id"
#define SSH_DIRECTORY "etc/ssh"
#define SSH_HOST_KEYS "ssh_host_*"

enum { ID_FILE_MAX = 256 };

/* ---- name and address ---- */

struct values {
	struct network_plan network;
	struct rootfs_values old, new;
};

static void values_free(struct values *values)
{
	network_plan_free(&values->network);
}

static int make_values(struct lb_context *ctx, const char *name, const struct record *record,
		       const struct container_origin *origin, struct values *values)
{
	int r = network_plan_make(ctx, record->identity.network, &values->network);

	if (r == 0)
		r = render_rootfs_values(ctx, name, record, &values->network, &values->new);
	if (r < 0)
		return r;
	values->old = values->new;
	values->old.name = origin->name;
	values->old.ipv4 = origin->ipv4;
	network_plan_ipv6(&values->network, origin->ipv4, values->old.ipv6);
	if (origin->gateway)
		text_copy(values->old.gateway, sizeof values->old.gateway, origin->gateway);
	return 0;
}

/* ---- itself ---- */

/* A file of the same content beside it, in place of the usual link, is the same id. */
static int renew_machine_id(struct lb_context *ctx, int top_fd, int seen_fd, const char *id)
{
	CLEANUP_FREE char *text = text_format("%s\n", id);
	CLEANUP_FREE char *present = NULL;
	CLEANUP_FREE char *dbus = NULL;
	int r = text ? 0 : fail_memory(ctx);

	if (r < 0 || tree_read_in_root(seen_fd, MACHINE_ID, ID_FILE_MAX, &present) < 0)
		return r; /* it has none, and gets one at its next start */
	r = rerender_write(ctx, top_fd, seen_fd, MACHINE_ID, text, 0444);
	if (r == 0 && tree_read_in_root(seen_fd, DBUS_MACHINE_ID, ID_FILE_MAX, &dbus) == 0 &&
	    text_equal(dbus, present)) {
		struct stat st;

		if (fstatat(seen_fd, DBUS_MACHINE_ID, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			r = rerender_write(ctx, top_fd, seen_fd, DBUS_MACHINE_ID, text, 0444);
	}
	return r;
}

/* Hidden: the base makes new ones before the SSH server starts. */
static int forget_host_keys(struct lb_context *ctx, int top_fd, int seen_fd)
{
	CLEANUP_FD int seen_dir_fd = tree_open_in_root(seen_fd, SSH_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int dir_fd = -1;
	int r = seen_dir_fd < 0 ? 0 : tree_list_names(seen_dir_fd, &names);

	for (size_t i = 0; r == 0 && i < names.count; i++) {
		if (fnmatch(SSH_HOST_KEYS, names.items[i], 0) != 0)
			continue;
		if (dir_fd < 0) {
			r = render_parents(top_fd, seen_fd, SSH_DIRECTORY "/");
			if (r > 0)
				return 0;
			dir_fd = openat(top_fd, SSH_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		}
		if (r == 0 && (dir_fd < 0 || mknodat(dir_fd, names.items[i], S_IFCHR, makedev(0, 0)) < 0))
			r = -errno;
	}
	return r < 0 ? fail_errno(ctx, r, "cannot hide the SSH host keys") : 0;
}

/* ---- both ---- */

static int rerender(struct lb_context *ctx, int top_fd, const char *name, const struct record *record,
		    const struct container_origin *origin, bool as_new)
{
	CLEANUP(values_free) struct values values = { 0 };
	CLEANUP_FD int seen_fd = rerender_open_seen(ctx, &record->layers, -1);
	int r;

	if (seen_fd == -ENOENT)
		return 0;
	r = seen_fd < 0 ? seen_fd : make_values(ctx, name, record, origin, &values);
	if (r == 0)
		r = rerender_rootfs_into(ctx, top_fd, seen_fd, &values.old, &values.new, record->identity.is_static);
	if (r == 0 && as_new)
		r = renew_machine_id(ctx, top_fd, seen_fd, values.new.machine_id);
	if (r == 0 && as_new)
		r = forget_host_keys(ctx, top_fd, seen_fd);
	return r;
}

int container_rerender(struct lb_context *ctx, int top_fd, const char *name, const struct record *record,
		       const struct container_origin *origin)
{
	return rerender(ctx, top_fd, name, record, origin, false);
}

int container_rerender_as_new(struct lb_context *ctx, int top_fd, const char *name, const struct record *record,
			      const struct container_origin *origin)
{
	return rerender(ctx, top_fd, name, record, origin, true);
}
