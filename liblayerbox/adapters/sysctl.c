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

/* Its text without the newline, the caller's; NULL where it cannot be read. */
static char *read_value(const char *key)
{
	CLEANUP_FREE char *value = NULL;
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "/proc/sys/%s", key);
	if (file_read(AT_FDCWD, path, VALUE_BYTES_MAX, &value, NULL) < 0)
		return NULL;
	text_trim(value);
	return TAKE_PTR(value);
}

bool sysctl_is(const char *key, const char *value)
{
	CLEANUP_FREE char *present = read_value(key);

	return present && text_equal(present, value);
}

bool sysctl_read(const char *key, uint64_t *ret_number)
{
	CLEANUP_FREE char *present = read_value(key);

	return present && text_to_number(present, 0, UINT64_MAX, ret_number);
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
