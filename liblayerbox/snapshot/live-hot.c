/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that may change once more without another state: whose ctime says nothing yet. */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "../util/file.h"
#include "live-private.h"

/*
 * Whoever opens it for writing while the lease is there waits until the file is closed here, a moment later; and this
 * thread is sent a signal. One that is ignored, unless a program that uses the library has another use for it.
 */
static int set_lease(int fd)
{
	const struct f_owner_ex owner = { .type = F_OWNER_TID, .pid = gettid() };

	if (fcntl(fd, F_SETOWN_EX, &owner) < 0 || fcntl(fd, F_SETSIG, SIGURG) < 0)
		return -errno;
	return fcntl(fd, F_SETLEASE, F_RDLCK) < 0 ? -errno : 0;
}

/*
 * Has anybody opened it for writing, or mapped it so, or is a write to it under way? Then there is no lease for
 * reading. Where a file system, or an operator, grants none at all, it may be so.
 */
static bool may_have_writer(int dir_fd, const char *name)
{
	CLEANUP_FD int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 || set_lease(fd) < 0;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* What lies in the future was written before the clock was set back: a write now would have made it now. */
bool live_is_hot(const struct live_copy *copy, const struct stat *st)
{
	struct timespec soon;

	if (copy->last)
		return true; /* without a syncfs(2), pages may be dirty */
	if (is_before(&st->st_ctim, &copy->hot_since))
		return false;
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_sec++;
	return is_before(&st->st_ctim, &soon);
}

bool live_file_is_hot(const struct live_copy *copy, int dir_fd, const char *name, const struct stat *st)
{
	struct timespec since = copy->hot_since;

	if (live_is_hot(copy, st))
		return true;
	since.tv_sec -= LIVE_WRITE_S;
	return S_ISREG(st->st_mode) && !is_before(&st->st_ctim, &since) &&
	       is_before(&st->st_ctim, &copy->hot_since) && may_have_writer(dir_fd, name);
}
