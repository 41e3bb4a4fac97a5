/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/limits.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "../../liblayerbox/util/tree.h"

enum { PIECE = 65536, SHOWN_MAX = 20 };

struct comparison {
	bool all_times;
	const char *const *except;
	size_t differences;
	struct buffer path;
};

static void PRINTF_LIKE(2, 3) differs(struct comparison *comparison, const char *format, ...)
{
	va_list args;

	if (comparison->differences++ >= SHOWN_MAX)
		return;
	fprintf(stderr, "# differs: /%s: ", comparison->path.data);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static bool is_excepted(const struct comparison *comparison)
{
	for (const char *const *path = comparison->except; path && *path; path++)
		if (text_equal(*path, comparison->path.data))
			return true;
	return false;
}

/* ---- one entry ---- */

static void compare_content(struct comparison *comparison, int a_fd, int b_fd, const char *name)
{
	CLEANUP_FD int a = openat(a_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	CLEANUP_FD int b = openat(b_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	CLEANUP_FREE char *pieces = malloc(2 * PIECE);
	ssize_t n = 0, m = 0;

	if (a < 0 || b < 0 || !pieces) {
		differs(comparison, "cannot be read: %m");
		return;
	}
	do {
		n = read(a, pieces, PIECE);
		m = read(b, pieces + PIECE, PIECE);
		if (n < 0 || n != m || memcmp(pieces, pieces + PIECE, (size_t)n) != 0) {
			differs(comparison, "content");
			return;
		}
	} while (n > 0);
}

static void compare_targets(struct comparison *comparison, int a_fd, int b_fd, const char *name)
{
	char a[PATH_MAX], b[PATH_MAX];
	ssize_t n = readlinkat(a_fd, name, a, sizeof a), m = readlinkat(b_fd, name, b, sizeof b);

	if (n < 0 || n != m || memcmp(a, b, (size_t)n) != 0)
		differs(comparison, "target of the link");
}

/* NAME=VALUE in hexadecimal digits, sorted. */
static void list_attributes(struct comparison *comparison, int fd, const char *name, struct text_list *ret)
{
	char path[64 + NAME_MAX], names[4096];
	unsigned char value[4096];
	ssize_t size;

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", fd, name);
	size = llistxattr(path, names, sizeof names);
	if (size < 0 && errno != ENOTSUP)
		differs(comparison, "attributes cannot be listed: %m");
	for (const char *attribute = names; attribute < names + size; attribute += strlen(attribute) + 1) {
		CLEANUP_BUFFER struct buffer text = { 0 };
		ssize_t length = lgetxattr(path, attribute, value, sizeof value);

		if (length < 0)
			differs(comparison, "attribute %s cannot be read: %m", attribute);
		buffer_format(&text, "%s=", attribute);
		for (ssize_t i = 0; i < length; i++)
			buffer_format(&text, "%02x", value[i]);
		text_list_add(ret, text.data);
	}
	text_list_sort(ret);
}

static void compare_attributes(struct comparison *comparison, int a_fd, int b_fd, const char *name)
{
	CLEANUP_TEXT_LIST struct text_list a = { 0 };
	CLEANUP_TEXT_LIST struct text_list b = { 0 };

	list_attributes(comparison, a_fd, name, &a);
	list_attributes(comparison, b_fd, name, &b);
	for (size_t i = 0; i < a.count; i++)
		if (!text_list_has(&b, a.items[i]))
			differs(comparison, "the first alone has %s", a.items[i]);
	for (size_t i = 0; i < b.count; i++)
		if (!text_list_has(&a, b.items[i]))
			differs(comparison, "the second alone has %s", b.items[i]);
}

static void compare_times(struct comparison *comparison, const struct stat *a, const struct stat *b)
{
	bool set = a->st_mtim.tv_sec < TIME_OF_CLOCK || b->st_mtim.tv_sec < TIME_OF_CLOCK;

	if ((set || comparison->all_times) &&
	    (a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec))
		differs(comparison, "time %lld.%09ld, %lld.%09ld", (long long)a->st_mtim.tv_sec, a->st_mtim.tv_nsec,
			(long long)b->st_mtim.tv_sec, b->st_mtim.tv_nsec);
}

static void compare_directories(struct comparison *comparison, int a_fd, int b_fd);

static void compare_below(struct comparison *comparison, int a_fd, int b_fd, const char *name)
{
	CLEANUP_FD int a = openat(a_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_FD int b = openat(b_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (a < 0 || b < 0)
		differs(comparison, "cannot be opened: %m");
	else
		compare_directories(comparison, a, b);
}

static void compare_entry(struct comparison *comparison, int a_fd, int b_fd, const char *name)
{
	struct stat a, b;

	if (fstatat(a_fd, name, &a, AT_SYMLINK_NOFOLLOW) < 0 || fstatat(b_fd, name, &b, AT_SYMLINK_NOFOLLOW) < 0) {
		differs(comparison, "is listed, but: %m");
		return;
	}
	if (a.st_mode != b.st_mode)
		differs(comparison, "mode %o, %o", a.st_mode, b.st_mode);
	if (a.st_uid != b.st_uid || a.st_gid != b.st_gid)
		differs(comparison, "owner %u:%u, %u:%u", a.st_uid, a.st_gid, b.st_uid, b.st_gid);
	if (a.st_rdev != b.st_rdev)
		differs(comparison, "device %#lx, %#lx", (unsigned long)a.st_rdev, (unsigned long)b.st_rdev);
	compare_times(comparison, &a, &b);
	compare_attributes(comparison, a_fd, b_fd, name);
	if ((a.st_mode & S_IFMT) != (b.st_mode & S_IFMT))
		return;
	if (!S_ISDIR(a.st_mode) && a.st_size != b.st_size)
		differs(comparison, "size %lld, %lld", (long long)a.st_size, (long long)b.st_size);
	else if (S_ISREG(a.st_mode))
		compare_content(comparison, a_fd, b_fd, name);
	else if (S_ISLNK(a.st_mode))
		compare_targets(comparison, a_fd, b_fd, name);
	else if (S_ISDIR(a.st_mode) && !text_equal(name, "."))
		compare_below(comparison, a_fd, b_fd, name);
}

/* ---- the trees ---- */

static void compare_name(struct comparison *comparison, int a_fd, int b_fd, const char *name, int order)
{
	size_t length = comparison->path.length;

	buffer_format(&comparison->path, "%s%s", length ? "/" : "", name);
	if (is_excepted(comparison))
		; /* whatever it is */
	else if (order != 0)
		differs(comparison, "only in the %s tree", order < 0 ? "first" : "second");
	else
		compare_entry(comparison, a_fd, b_fd, name);
	comparison->path.length = length;
	comparison->path.data[length] = '\0';
}

static void compare_directories(struct comparison *comparison, int a_fd, int b_fd)
{
	CLEANUP_TEXT_LIST struct text_list a = { 0 };
	CLEANUP_TEXT_LIST struct text_list b = { 0 };

	if (tree_list_names(a_fd, &a) < 0 || tree_list_names(b_fd, &b) < 0)
		differs(comparison, "cannot be listed: %m");
	for (size_t i = 0, j = 0; i < a.count || j < b.count;) {
		int order = i == a.count ? 1 : j == b.count ? -1 : strcmp(a.items[i], b.items[j]);

		compare_name(comparison, a_fd, b_fd, order <= 0 ? a.items[i] : b.items[j], order);
		i += order <= 0;
		j += order >= 0;
	}
}

size_t trees_compare(int a_fd, int b_fd, bool all_times, const char *const *except)
{
	struct comparison comparison = { .all_times = all_times, .except = except };

	buffer_add_text(&comparison.path, "");
	compare_entry(&comparison, a_fd, b_fd, ".");
	compare_directories(&comparison, a_fd, b_fd);
	buffer_free(&comparison.path);
	return comparison.differences;
}
