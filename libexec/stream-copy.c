/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-copy.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "stream-attributes.h"
#include "stream-format.h"
#include "stream-names.h"
#include "util/tree-copy.h"
#include "util/tree.h"

static int copy_names(int from_fd, int fd, int depth, bool *ret_whiteouts);

/*
 * Its attributes come last: times change with what is made below it, and what is made would inherit access control
 * lists.
 */
static int copy_directory(int from_fd, int fd, const char *name, const struct stat *st, int depth)
{
	CLEANUP_FD int from = tree_open_beneath(from_fd, name, O_RDONLY | O_DIRECTORY);
	CLEANUP_FD int to = -1;
	bool whiteouts = false;
	int r;

	if (from < 0)
		return from;
	if (mkdirat(fd, name, 0700) < 0)
		return -errno;
	to = tree_open_beneath(fd, name, O_RDONLY | O_DIRECTORY);
	r = to < 0 ? to : copy_names(from, to, depth + 1, &whiteouts);
	if (r == 0 && whiteouts)
		r = tree_mark_whiteouts(to);
	return r < 0 ? r : tree_copy_attributes(from, fd, name, st);
}

/* A file can have so many links that it takes no more. */
static int copy_entry(int from_fd, int fd, const char *name, int depth, bool *ret_whiteout)
{
	struct stat st;

	if (fstatat(from_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return copy_directory(from_fd, fd, name, &st, depth);
	*ret_whiteout = S_ISCHR(st.st_mode) && st.st_rdev == 0;
	if (linkat(from_fd, name, fd, name, 0) == 0)
		return 0;
	return errno == EMLINK ? tree_copy_entry(from_fd, name, fd, name, NULL) : -errno;
}

static int copy_names(int from_fd, int fd, int depth, bool *ret_whiteouts)
{
	CLEANUP_STREAM_NAMES struct stream_names names = STREAM_NAMES_EMPTY;
	const char *name;
	int r = depth > STREAM_DEPTH_MAX ? -ELOOP : stream_names_open(from_fd, &names);

	if (r < 0)
		return r;
	while ((r = stream_names_next(&names, &name)) > 0) {
		bool whiteout = false;

		r = copy_entry(from_fd, fd, name, depth, &whiteout);
		if (r < 0)
			return r;
		*ret_whiteouts = *ret_whiteouts || whiteout;
	}
	return r;
}

int stream_copy_tree(int from_fd, int fd, struct stream_error *error)
{
	bool ignored = false;
	struct stat st;
	int r = fstat(from_fd, &st) < 0 ? -errno : stream_attributes_clear(fd);

	if (r == 0)
		r = copy_names(from_fd, fd, 1, &ignored);
	if (r == 0)
		r = tree_copy_attributes(from_fd, fd, ".", &st);
	return r < 0 ? stream_fail_errno(error, STREAM_FAILED, -r, "cannot link the files of a layer") : 0;
}
