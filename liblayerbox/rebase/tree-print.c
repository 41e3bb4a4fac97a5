/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tree-print.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "../util/text.h"
#include "../util/tree.h"

enum { DEPTH_MAX = 200 };

static int print_directory(int dir_fd, const char *name, int depth, uint64_t *ret_print);

static int print_entry(int dir_fd, const char *name, int depth, uint64_t *ret_print)
{
	bool directory;
	uint64_t below = 0;
	struct stat st;
	char text[512];
	int r = 0;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	directory = S_ISDIR(st.st_mode);
	if (directory)
		r = print_directory(dir_fd, name, depth + 1, &below);
	else
		below = (uint64_t)st.st_size;
	snprintf(text, sizeof text, "%" PRIu64 " %o %u %u %" PRIu64 " %" PRId64 ".%ld %s", (uint64_t)st.st_ino,
		 st.st_mode, st.st_uid, st.st_gid, below, directory ? 0 : (int64_t)st.st_mtim.tv_sec,
		 directory ? 0 : st.st_mtim.tv_nsec, name);
	*ret_print = text_hash(text);
	return r;
}

/* A sum, since the order of a directory is nobody's promise. */
static int print_directory(int dir_fd, const char *name, int depth, uint64_t *ret_print)
{
	CLEANUP_DIR DIR *dir = NULL;
	struct dirent *entry;
	uint64_t sum = 0;
	int fd = depth < DEPTH_MAX ? tree_open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY) : -ELOOP;

	if (fd < 0)
		return fd;
	dir = take_dir(fd);
	if (!dir)
		return -errno;
	while ((errno = 0, entry = readdir(dir))) {
		uint64_t print = 0;
		int r;

		if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
			continue;
		r = print_entry(fd, entry->d_name, depth, &print);
		if (r < 0)
			return r;
		sum += print;
	}
	if (errno)
		return -errno;
	*ret_print = sum;
	return 0;
}

int tree_print(int dir_fd, const char *name, uint64_t *ret_print)
{
	return print_directory(dir_fd, name, 0, ret_print);
}
