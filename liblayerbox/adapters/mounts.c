/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mounts.h"

#include <libmount/libmount.h>

int mounts_below(struct lb_context *ctx, const char *prefix, struct text_list *ret_targets)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	int r = table && iterator ? 0 : -ENOMEM;

	while (r == 0 && mnt_table_next_fs(table, iterator, &fs) == 0) {
		const char *target = mnt_fs_get_target(fs);

		if (target && text_after(target, prefix))
			r = text_list_add(ret_targets, target);
	}
	mnt_free_iter(iterator);
	mnt_unref_table(table);
	return r < 0 ? fail_errno(ctx, r, "cannot read /proc/self/mountinfo") : 0;
}
