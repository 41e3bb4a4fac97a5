/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts.h"

#include <stdio.h>

/* A line holds all options of a mount, which for an overlay of many layers are a page and more. */
enum { LINE_BYTES_MAX = 16 * 1024 };

int mounts_for_each(mounts_fn fn, void *userdata)
{
	CLEANUP_FILE FILE *file = setmntent("/proc/self/mounts", "re");
	char line[LINE_BYTES_MAX];
	struct mntent mount;
	int r = 0;

	if (!file)
		return -errno;
	while (r >= 0 && getmntent_r(file, &mount, line, sizeof line))
		r = fn(&mount, userdata);
	return r < 0 ? r : 0;
}

struct query {
	const char *prefix;
	struct text_list *targets;
};

static int add_if_below(const struct mntent *mount, void *userdata)
{
	struct query *query = userdata;

	return text_after(mount->mnt_dir, query->prefix) ? text_list_add(query->targets, mount->mnt_dir) : 0;
}

int mounts_below(struct lb_context *ctx, const char *prefix, struct text_list *ret_targets)
{
	int r = mounts_for_each(add_if_below, &(struct query){ prefix, ret_targets });

	return r < 0 ? fail_errno(ctx, r, "cannot read /proc/self/mounts") : 0;
}
