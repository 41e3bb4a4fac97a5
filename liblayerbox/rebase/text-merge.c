/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text-merge.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../util/file.h"
#include "../util/spawn.h"

/* How diff3 ends. */
enum { DIFF3_CLEAN, DIFF3_CONFLICT };

/* diff takes seconds for as many lines that have nothing to do with each other, and minutes for ten times as many. */
enum { LINES_MAX = 100000 };

static bool is_text(struct slice piece)
{
	size_t lines = 0;

	for (size_t i = 0; i < piece.length; i++) {
		if (piece.data[i] == '\0')
			return false;
		lines += piece.data[i] == '\n';
	}
	return lines <= LINES_MAX;
}

/* Where only one side changed it, or both did the same: no lines have to be compared. */
static bool take_whole(struct slice old, struct slice new, struct slice own,
		       struct slice *ret_whole)
{
	if (slice_equal(own, old))
		*ret_whole = new;
	else if (slice_equal(new, old) || slice_equal(new, own))
		*ret_whole = own;
	else
		return false;
	return true;
}

/* A file in memory with @piece in it, at a number that the program's standard descriptors do not take. */
static int file_of(struct slice piece, int *ret_fd)
{
	CLEANUP_FD int low = memfd_create("layerbox-merge", MFD_CLOEXEC);
	CLEANUP_FD int fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, 3);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, piece.data, piece.length);
	if (r < 0)
		return r;
	*ret_fd = take_fd(&fd);
	return 0;
}

/* All of a file in memory, terminated. */
static int take_file(int fd, char **ret_text, size_t *ret_length)
{
	CLEANUP_FREE char *text = NULL;
	struct stat st;
	size_t length = 0, size;

	if (fstat(fd, &st) < 0)
		return -errno;
	size = (size_t)st.st_size;
	text = malloc(size + 1);
	if (!text)
		return -ENOMEM;
	while (length < size) {
		ssize_t n = pread(fd, text + length, size - length, (off_t)length);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EIO;
		length += n > 0 ? (size_t)n : 0;
	}
	text[size] = '\0';
	*ret_text = TAKE_PTR(text);
	*ret_length = size;
	return 0;
}

/*
 * --show-overlap rather than what --merge does by itself, which calls it a conflict where both made the same change.
 * The program opens its files anew by their descriptors, and so does diff(1), which it calls.
 */
static int run_diff3(const int *fds, int output_fd, int *ret_status)
{
	char paths[3][32];
	const struct spawn_options options = {
		.env = (const char *const[]){ "PATH=/usr/bin:/bin", "LC_ALL=C", NULL },
		.inherited = fds,
		.output_fd = output_fd,
	};

	for (size_t i = 0; i < 3; i++)
		snprintf(paths[i], sizeof paths[i], "/proc/self/fd/%d", fds[i]);
	return spawn_run((const char *const[]){ "diff3", "--text", "--show-overlap", "--merge", "--", paths[0],
						paths[1], paths[2], NULL },
			 &options, ret_status, NULL);
}

static int merge_lines(struct slice old, struct slice new, struct slice own, bool *ret_clean,
		       char **ret_text, size_t *ret_length)
{
	CLEANUP_FD int own_fd = -1;
	CLEANUP_FD int old_fd = -1;
	CLEANUP_FD int new_fd = -1;
	CLEANUP_FD int output_fd = -1;
	int status, r = file_of(own, &own_fd);

	if (r == 0)
		r = file_of(old, &old_fd);
	if (r == 0)
		r = file_of(new, &new_fd);
	if (r == 0)
		r = file_of((struct slice){ 0 }, &output_fd);
	if (r == 0)
		r = run_diff3((const int[]){ own_fd, old_fd, new_fd, 0 }, output_fd, &status);
	if (r < 0)
		return r;
	if (status == DIFF3_CONFLICT)
		return *ret_text = NULL, *ret_length = 0, *ret_clean = false, 0;
	if (status != DIFF3_CLEAN)
		return -EIO;
	r = take_file(output_fd, ret_text, ret_length);
	if (r == 0)
		*ret_clean = true;
	return r;
}

int text_merge(struct slice old, struct slice new, struct slice own, bool *ret_clean, char **ret_text,
	       size_t *ret_length)
{
	struct slice whole;
	char *text;

	if (!is_text(old) || !is_text(new) || !is_text(own))
		return *ret_text = NULL, *ret_length = 0, *ret_clean = false, 0;
	if (!take_whole(old, new, own, &whole))
		return merge_lines(old, new, own, ret_clean, ret_text, ret_length);
	text = malloc(whole.length + 1);
	if (!text)
		return -ENOMEM;
	if (whole.length)
		memcpy(text, whole.data, whole.length);
	text[whole.length] = '\0';
	*ret_text = text;
	*ret_length = whole.length;
	*ret_clean = true;
	return 0;
}
