/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk.h"

#include <sys/statvfs.h>

enum { ABATED_PERCENT = 2 };

static unsigned percent(uint64_t used, uint64_t available)
{
	long double all = (long double)used + (long double)available;

	return all > 0 ? (unsigned)((100.0L * (long double)used + all - 1) / all) : 0;
}

void disk_look(const char *path, struct disk_usage *ret_usage)
{
	struct statvfs st;

	*ret_usage = (struct disk_usage){ 0 };
	if (statvfs(path, &st) < 0)
		return;
	ret_usage->space = percent(st.f_blocks - st.f_bfree, st.f_bavail);
	ret_usage->inodes = percent(st.f_files - st.f_ffree, st.f_favail);
}

unsigned disk_next(const struct disk_usage *usage, unsigned limit_percent, bool told)
{
	unsigned most = usage->space > usage->inodes ? usage->space : usage->inodes;

	if (!most) /* not known */
		return 0;
	if (!told && most >= limit_percent)
		return DISK_SAY_FULL;
	return told && most + ABATED_PERCENT <= limit_percent ? DISK_SAY_OK : 0;
}
