/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci-entry.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "oci-attributes.h"

enum { BLOCK = 128 * 1024 };

int oci_fail_path(struct oci_error *error, int code, const char *what, const char *path)
{
	return oci_fail_errno(error, code, "cannot %s /%.500s", what, path);
}

static int sort_names(const char *names, size_t length, struct text_list *ret_names)
{
	for (const char *name = names; name < names + length; name += strlen(name) + 1)
		if (oci_attribute_is_known(name) && text_list_add(ret_names, name) < 0)
			return -ENOMEM;
	text_list_sort(ret_names);
	return 0;
}

/* There is no llistxattrat(2) before Linux 6.13; the last component of this path is not followed either. */
static int add_xattrs(struct oci_entry_writer *writer, int dir_fd, const char *name)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	char path[64 + NAME_MAX];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir_fd, name);
	n = llistxattr(path, writer->names, XATTR_LIST_MAX);
	if (n < 0)
		return errno == ENOTSUP ? 0 : -errno;
	if (sort_names(writer->names, (size_t)n, &names) < 0)
		return -ENOMEM;
	/* libarchive has the last one that was added come first. */
	for (size_t i = names.count; i-- > 0;) {
		n = lgetxattr(path, names.items[i], writer->value, XATTR_SIZE_MAX);
		if (n < 0)
			return -errno;
		archive_entry_xattr_add_entry(writer->entry, names.items[i], writer->value, (size_t)n);
	}
	return 0;
}

static int add_target(struct oci_entry_writer *writer, int dir_fd, const char *name)
{
	char target[PATH_MAX + 1];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof target - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	archive_entry_copy_symlink(writer->entry, target);
	return 0;
}

/* Inode, links, and other times are the host's affair, and would differ from one export to the next. */
static void begin_entry(struct oci_entry_writer *writer, const char *path, const struct stat *st)
{
	archive_entry_clear(writer->entry);
	archive_entry_copy_pathname(writer->entry, *path ? path : ".");
	archive_entry_set_mode(writer->entry, st->st_mode);
	archive_entry_set_uid(writer->entry, st->st_uid);
	archive_entry_set_gid(writer->entry, st->st_gid);
	archive_entry_set_mtime(writer->entry, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	archive_entry_set_size(writer->entry, S_ISREG(st->st_mode) ? st->st_size : 0);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		archive_entry_set_rdevmajor(writer->entry, major(st->st_rdev));
		archive_entry_set_rdevminor(writer->entry, minor(st->st_rdev));
	}
}

static int write_header(struct oci_entry_writer *writer, const char *path)
{
	return archive_write_header(writer->out, writer->entry) == ARCHIVE_OK
		       ? 0
		       : oci_fail_archive(writer->error, writer->out, "cannot pack", path);
}

static int write_content(struct oci_entry_writer *writer, int dir_fd, const char *name, const char *path,
			 const struct stat *like)
{
	CLEANUP_FD int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	off_t left = like->st_size;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return oci_fail_path(writer->error, -errno, "open", path);
	if (st.st_ino != like->st_ino || st.st_size != like->st_size)
		return oci_fail(writer->error, -EBUSY, "/%.500s changes while it is read", path);
	while (left > 0) {
		ssize_t n = read(fd, writer->block, left < BLOCK ? (size_t)left : BLOCK);

		if (n < 0)
			return oci_fail_path(writer->error, -errno, "read", path);
		if (n == 0)
			return oci_fail(writer->error, -EBUSY, "/%.500s became shorter while it was read", path);
		if (archive_write_data(writer->out, writer->block, (size_t)n) != n)
			return oci_fail_archive(writer->error, writer->out, "cannot pack", path);
		left -= n;
	}
	return 0;
}

/* Whether the file was written under another name already: then this entry is a link to that. */
static int link_entry(struct oci_entry_writer *writer, const char *path, const struct stat *st, bool *ret_linked)
{
	const char *first = NULL;
	int r = 0;

	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1)
		r = oci_links_find(&writer->links, st->st_ino, path, &first);
	if (first) {
		archive_entry_copy_hardlink(writer->entry, first);
		archive_entry_set_size(writer->entry, 0);
	}
	*ret_linked = first;
	return r;
}

int oci_entry_write(struct oci_entry_writer *writer, int dir_fd, const char *name, const char *path,
		    const struct stat *st)
{
	bool linked;
	int r;

	begin_entry(writer, path, st);
	r = link_entry(writer, path, st, &linked);
	if (r == 0 && !linked)
		r = add_xattrs(writer, dir_fd, name);
	if (r == 0 && !linked && S_ISLNK(st->st_mode))
		r = add_target(writer, dir_fd, name);
	if (r < 0)
		return oci_fail_path(writer->error, r, "read", path);
	r = write_header(writer, path);
	if (r == 0 && !linked && S_ISREG(st->st_mode))
		r = write_content(writer, dir_fd, name, path, st);
	return r;
}

/* Its attributes say nothing. */
int oci_entry_write_mark(struct oci_entry_writer *writer, const char *path)
{
	const struct stat st = { .st_mode = S_IFREG | 0600 };

	begin_entry(writer, path, &st);
	return write_header(writer, path);
}

int oci_entry_writer_begin(struct archive *out, struct oci_error *error, struct oci_entry_writer *ret_writer)
{
	*ret_writer = (struct oci_entry_writer){ .out = out, .error = error };
	ret_writer->entry = archive_entry_new();
	ret_writer->names = malloc(XATTR_LIST_MAX);
	ret_writer->value = malloc(XATTR_SIZE_MAX);
	ret_writer->block = malloc(BLOCK);
	return ret_writer->entry && ret_writer->names && ret_writer->value && ret_writer->block ? 0
											      : oci_fail_memory(error);
}

void oci_entry_writer_end(struct oci_entry_writer *writer)
{
	archive_entry_free(writer->entry);
	free(writer->names);
	free(writer->value);
	free(writer->block);
	oci_links_free(&writer->links);
}
