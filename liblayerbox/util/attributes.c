/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attributes.h"

#include <fcntl.h>
#include <sys/xattr.h>

#include "text.h"

/* What xattr(7) allows at most. */
enum { LIST_MAX = 65536, VALUE_MAX = 65536 };

struct xattrs {
	char path[64 + 256];          /* through /proc: there is no lgetxattrat(2) in older kernels */
	char *names;                  /* one after the other */
	size_t length;
};

static bool counts(const char *name)
{
	return !text_after(name, "trusted.overlay.");
}

static int list(int dir_fd, const char *name, struct xattrs *ret)
{
	ssize_t n;

	snprintf(ret->path, sizeof ret->path, "/proc/self/fd/%d/%s", dir_fd, name);
	ret->length = 0;
	ret->names = NULL;
	n = llistxattr(ret->path, NULL, 0);
	if (n == 0 || (n < 0 && errno == EOPNOTSUPP))
		return 0;
	ret->names = malloc(LIST_MAX);
	if (!ret->names)
		return -ENOMEM;
	n = llistxattr(ret->path, ret->names, LIST_MAX);
	if (n < 0)
		return -errno;
	ret->length = (size_t)n;
	return 0;
}

static void xattrs_free(struct xattrs *xattrs)
{
	free(xattrs->names);
}

#define FOR_EACH_NAME(name, xattrs)                                                                   \
	for (const char *name = (xattrs)->names; name && name < (xattrs)->names + (xattrs)->length; \
	     name += strlen(name) + 1)

static size_t count(const struct xattrs *xattrs)
{
	size_t n = 0;

	FOR_EACH_NAME(name, xattrs)
		n += counts(name);
	return n;
}

/* 1, 0 or -errno */
static int has_same_value(const struct xattrs *a, const struct xattrs *b, const char *name)
{
	CLEANUP_FREE char *values = malloc(2 * VALUE_MAX);
	ssize_t n, m;

	if (!values)
		return -ENOMEM;
	n = lgetxattr(a->path, name, values, VALUE_MAX);
	if (n < 0)
		return -errno;
	m = lgetxattr(b->path, name, values + VALUE_MAX, VALUE_MAX);
	if (m < 0 && errno != ENODATA)
		return -errno;
	return n == m && memcmp(values, values + VALUE_MAX, (size_t)n) == 0;
}

static int same_xattrs(int a_fd, const char *a_name, int b_fd, const char *b_name)
{
	CLEANUP(xattrs_free) struct xattrs a = { 0 };
	CLEANUP(xattrs_free) struct xattrs b = { 0 };
	int r = list(a_fd, a_name, &a);

	if (r == 0)
		r = list(b_fd, b_name, &b);
	if (r < 0)
		return r;
	if (count(&a) != count(&b))
		return 0;
	FOR_EACH_NAME(name, &a) {
		r = counts(name) ? has_same_value(&a, &b, name) : 1;
		if (r != 1)
			return r;
	}
	return 1;
}

int attributes_equal(int a_fd, const char *a_name, int b_fd, const char *b_name)
{
	struct stat a, b;

	if (fstatat(a_fd, a_name, &a, AT_SYMLINK_NOFOLLOW) < 0 || fstatat(b_fd, b_name, &b, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (a.st_mode != b.st_mode || a.st_uid != b.st_uid || a.st_gid != b.st_gid)
		return 0;
	return same_xattrs(a_fd, a_name, b_fd, b_name);
}

static int copy_xattrs(int from_fd, int to_fd)
{
	CLEANUP(xattrs_free) struct xattrs from = { 0 };
	CLEANUP_FREE char *value = NULL;
	int r = list(from_fd, ".", &from);

	if (r < 0 || from.length == 0)
		return r;
	value = malloc(VALUE_MAX);
	if (!value)
		return -ENOMEM;
	FOR_EACH_NAME(name, &from) {
		ssize_t n = counts(name) ? fgetxattr(from_fd, name, value, VALUE_MAX) : 0;

		if (n < 0 || (counts(name) && fsetxattr(to_fd, name, value, (size_t)n, 0) < 0))
			return -errno;
	}
	return 0;
}

int attributes_copy(int from_fd, int to_fd)
{
	struct stat st;
	int r;

	if (fstat(from_fd, &st) < 0 || fchown(to_fd, st.st_uid, st.st_gid) < 0 || fchmod(to_fd, st.st_mode & 07777) < 0)
		return -errno;
	r = copy_xattrs(from_fd, to_fd);
	if (r < 0)
		return r;
	return futimens(to_fd, (struct timespec[]){ st.st_atim, st.st_mtim }) < 0 ? -errno : 0;
}

int attributes_clean(int dir_fd, const char *name)
{
	CLEANUP(xattrs_free) struct xattrs xattrs = { 0 };
	int r = list(dir_fd, name, &xattrs);

	if (r < 0)
		return r;
	FOR_EACH_NAME(own, &xattrs)
		if (!counts(own) && lremovexattr(xattrs.path, own) < 0)
			return -errno;
	return 0;
}
