/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "../core/log-directory.h"
#include "../core/name.h"
#include "../core/store.h"
#include "../util/tree.h"
#include "examination.h"

/* They are not removed here: somebody may have put them there, or want them still. */
static void tell(struct examination *examination, const char *name)
{
	CLEANUP_FREE char *path = store_path(examination->ctx, STORE_LOGS "/%s", name);
	CLEANUP_FREE char *remedy = path ? text_format("remove it when nobody wants it any more: rm -r %s", path) : NULL;

	if (remedy)
		found(examination->findings, false, path, "is the log of a container that is not there any more",
		      remedy);
}

void examine_logs(struct examination *examination)
{
	CLEANUP_FD int logs_fd = log_directory_open(examination->ctx);
	CLEANUP_FD int containers_fd = store_open_directory(examination->ctx, STORE_CONTAINERS);
	CLEANUP_TEXT_LIST struct text_list names = { 0 };

	/* Until a rename is finished they have the old name. */
	if (examination->is_renaming || logs_fd < 0 || containers_fd < 0 || tree_list_names(logs_fd, &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i];

		if (name_is_valid(name) && faccessat(containers_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno == ENOENT && faccessat(logs_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			tell(examination, name);
	}
}
