/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manifest-entry.h"

#include <limits.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "manifest-text.h"

enum { XATTR_HEX_MAX = 64, XATTR_GUESS = 1024 };

int manifest_reader_begin(struct manifest_reader *reader)
{
	reader->names = malloc(XATTR_LIST_MAX);
	reader->value = malloc(XATTR_SIZE_MAX);
	return reader->names && reader->value ? 0 : -ENOMEM;
}

void manifest_reader_end(struct manifest_reader *reader)
{
	free(reader->names);
	free(reader->value);
	*reader = (struct manifest_reader){ 0 };
}

static void free_text(const char *text)
{
	free((void *)(uintptr_t)text);
}

void manifest_entry_free(struct manifest_entry *entry)
{
	free_text(entry->path);
	free_text(entry->target);
	free_text(entry->xattrs);
	*entry = (struct manifest_entry){ 0 };
}

/* ---- extended attributes ---- */

/* The kernel sets aside as much memory as it is offered: so first a little, then the most. */
static ssize_t list_names(const char *path, char *names)
{
	ssize_t n = llistxattr(path, names, XATTR_GUESS);

	return n < 0 && errno == ERANGE ? llistxattr(path, names, XATTR_LIST_MAX) : n;
}

static ssize_t get_value(const char *path, const char *name, char *value)
{
	ssize_t n = lgetxattr(path, name, value, XATTR_GUESS);

	return n < 0 && errno == ERANGE ? lgetxattr(path, name, value, XATTR_SIZE_MAX) : n;
}

static void add_value(struct buffer *text, const char *value, size_t length)
{
	uint8_t digest[DIGEST_SHA256_BYTES];
	char digits[2 * XATTR_HEX_MAX + 1];

	if (length <= XATTR_HEX_MAX) {
		digest_to_text((const uint8_t *)value, length, digits);
		buffer_add_text(text, digits);
		return;
	}
	digest_sha256(value, length, digest);
	digest_to_text(digest, sizeof digest, digits);
	buffer_format(text, "(%s)", digits);
}

static int collect_names(const char *names, size_t length, struct text_list *ret_names)
{
	for (const char *name = names; name < names + length; name += strlen(name) + 1)
		if (!text_after(name, "trusted.overlay.") && text_list_add(ret_names, name) < 0)
			return -ENOMEM;
	text_list_sort(ret_names);
	return 0;
}

/* There is no llistxattrat(2) before Linux 6.13; the last component of this path is not followed either. */
static int read_xattrs(struct manifest_reader *reader, int dir_fd, const char *name, const char **ret_xattrs)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_BUFFER struct buffer text = { 0 };
	char path[64 + NAME_MAX];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir_fd, name);
	n = list_names(path, reader->names);
	if (n < 0 && errno != ENOTSUP)
		return -errno;
	if (n > 0 && collect_names(reader->names, (size_t)n, &names) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < names.count; i++) {
		n = get_value(path, names.items[i], reader->value);
		if (n < 0)
			return -errno;
		if (i)
			buffer_add_text(&text, ",");
		manifest_add_escaped(&text, names.items[i], ",=");
		buffer_add_text(&text, "=");
		add_value(&text, reader->value, (size_t)n);
	}
	if (names.count == 0)
		buffer_add_text(&text, "-");
	*ret_xattrs = buffer_finish(&text);
	return *ret_xattrs ? 0 : -ENOMEM;
}

/* ---- the rest ---- */

static char type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 's';
	default:
		return 'f';
	}
}

static int read_target(int dir_fd, const char *name, const char **ret_target)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof target);

	if (n < 0)
		return -errno;
	*ret_target = strndup(target, (size_t)n);
	return *ret_target ? 0 : -ENOMEM;
}

static void set_attributes(struct manifest_entry *entry, const struct stat *st)
{
	entry->type = type_of(st->st_mode);
	entry->mode = st->st_mode & 07777;
	entry->uid = st->st_uid;
	entry->gid = st->st_gid;
	entry->inode = st->st_ino;
	if (entry->type == 'f')
		entry->size = (uint64_t)st->st_size;
	if (entry->type == 'c' || entry->type == 'b') {
		entry->major = major(st->st_rdev);
		entry->minor = minor(st->st_rdev);
	}
}

int manifest_entry_read(struct manifest_reader *reader, int dir_fd, const char *name, const struct stat *st,
			struct manifest_entry *entry)
{
	int r;

	set_attributes(entry, st);
	r = read_xattrs(reader, dir_fd, name, &entry->xattrs);
	if (r == 0 && entry->type == 'l')
		r = read_target(dir_fd, name, &entry->target);
	return r;
}
