/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What unit tests share: cmocka behind the headers it wants, and a scratch directory that is the current one
 * while the tests of a program run. A program has one group of tests, because TAP has one plan.
 *
 * The tests are meant to be run as root; those that need it say so with need_root() and fail without it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* fail() is ours: see core/context.h. */
#undef fail
#undef fail_msg
#define fail_msg(...)                               \
	do {                                        \
		print_error("# " __VA_ARGS__);      \
		print_error("\n");                  \
		_fail(__FILE__, __LINE__);          \
	} while (0)

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../liblayerbox/util/tree.h"

/*
 * For root it is a file system in memory, in a mount namespace of the test's own: what a test mounts is never
 * seen outside, and what a failed one leaves is gone with it.
 */
static inline int scratch_enter(void **state)
{
	static char path[] = "/tmp/layerbox-unit.XXXXXX";

	*state = path;
	if (!mkdtemp(path))
		return -1;
	if (geteuid() == 0 && (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
			       mount("tmpfs", path, "tmpfs", 0, "mode=755") < 0))
		return -1;
	return chdir(path);
}

static inline int scratch_leave(void **state)
{
	const char *path = *state;

	if (chdir("/tmp") < 0 || (geteuid() == 0 && umount2(path, MNT_DETACH) < 0))
		return -1;
	return geteuid() == 0 ? rmdir(path) : tree_remove(AT_FDCWD, strrchr(path, '/') + 1);
}

static inline void need_root(void)
{
	if (geteuid() != 0)
		fail_msg("this test needs root: run the tests with sudo");
}

/* A file with @text in it, relative to the scratch directory. */
static inline void put_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* fork(2) for children that must not outlive a test that fails. */
static inline pid_t fork_mortal(void)
{
	pid_t pid = fork();

	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* Waits for a child that was made for a test, and returns its exit status or 128 + signal. */
static inline int end_of(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define assert_contains(text, part)                                                       \
	do {                                                                              \
		if (!strstr((text), (part)))                                              \
			fail_msg("\"%s\" does not contain \"%s\"", (text), (part));       \
	} while (0)
