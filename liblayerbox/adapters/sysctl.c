/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sysctl.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../util/file.h"

enum { VALUE_BYTES_MAX = 4096, PATH_BYTES = 256 };

bool sysctl_exists(const char *key)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "/proc/sys/%s", key);
	return access(path, F_OK) == 0;
}

bool sysctl_is(const char *key, const char *value)
{
	CLEANUP_FREE char *present = NULL;
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "/proc/sys/%s", key);
	return file_read(AT_FDCWD, path, VALUE_BYTES_MAX, &present, NULL) == 0 && text_equal(text_trim(present), value);
}

int sysctl_set(struct lb_context *ctx, const char *key, const char *value)
{
	char path[PATH_BYTES];
	int r;

	if (sysctl_is(key, value))
		return 1;
	snprintf(path, sizeof path, "/proc/sys/%s", key);
	r = file_write_existing(AT_FDCWD, path, value);
	if (r < 0)
		return fail_errno(ctx, r, "cannot write %s to %s", value, path);
	log_message(ctx, LB_LOG_DEBUG, "set %s to %s", path, value);
	return 0;
}
