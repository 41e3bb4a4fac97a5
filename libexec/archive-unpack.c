/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "archive-unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "archive-entry.h"
#include "util/text.h"

enum { BLOCK = 65536, END_OF_TAR = 1024, PADDING_MAX = 1 << 20 };

struct unpacker {
	const struct archive_unpack_options *options;
	int in_fd;
	struct archive *in;
	struct archive *disk;
	char *error;
	size_t error_size;
};

static int unpacker_fail(struct unpacker *unpacker, struct archive *where, const char *what, const char *name)
{
	return archive_sentence(where, what, name, unpacker->error, unpacker->error_size);
}

static int refuse(struct unpacker *unpacker, const char *name, const char *why)
{
	char shown[256];

	snprintf(shown, sizeof shown, "%.250s", name ? name : "an entry without a name");
	snprintf(unpacker->error, unpacker->error_size, "%s %s", text_printable(shown), why);
	return -EINVAL;
}

static bool is_wanted(struct archive_entry *entry)
{
	mode_t type = archive_entry_filetype(entry);

	return archive_entry_hardlink(entry) || type == AE_IFREG || type == AE_IFDIR || type == AE_IFLNK ||
	       type == AE_IFIFO;
}

static bool leads_out(const char *name)
{
	if (*name == '/')
		return true;
	for (const char *part = name; part; part = strchr(part, '/')) {
		part += strspn(part, "/");
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
			return true;
	}
	return false;
}

static int check_entry(struct unpacker *unpacker, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry), *link = archive_entry_hardlink(entry);
	la_int64_t max = unpacker->options->id_max;

	if (text_empty(name))
		return refuse(unpacker, NULL, "cannot be unpacked");
	if (leads_out(name))
		return refuse(unpacker, name, "would leave the directory it is unpacked into");
	if (link && leads_out(link))
		return refuse(unpacker, name, "is a hard link to a file outside");
	if (unpacker->options->keep_owners && max > 0 && !link &&
	    (archive_entry_uid(entry) > max || archive_entry_gid(entry) > max))
		return refuse(unpacker, name,
			      "belongs to a user or group above 65535: it comes from inside an unprivileged "
			      "container; shift its owners back first");
	return 0;
}

static void set_owner(const struct unpacker *unpacker, struct archive_entry *entry)
{
	archive_entry_set_uname(entry, NULL);
	archive_entry_set_gname(entry, NULL);
	if (unpacker->options->keep_owners)
		return;
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	/* As chown(2) does: what becomes root's does not become setuid root. */
	archive_entry_set_perm(entry, archive_entry_perm(entry) & ~(mode_t)(S_ISUID | S_ISGID));
	archive_entry_xattr_clear(entry);
}

static int copy_content(struct unpacker *unpacker, const char *name)
{
	la_int64_t offset;
	const void *data;
	size_t length;
	int r;

	while ((r = archive_read_data_block(unpacker->in, &data, &length, &offset)) == ARCHIVE_OK)
		if (archive_write_data_block(unpacker->disk, data, length, offset) != ARCHIVE_OK)
			return unpacker_fail(unpacker, unpacker->disk, "cannot write", name);
	return r == ARCHIVE_EOF ? 0 : unpacker_fail(unpacker, unpacker->in, "cannot read", name);
}

static int unpack_entry(struct unpacker *unpacker, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);
	int r;

	if (!is_wanted(entry))
		return 0;
	r = check_entry(unpacker, entry);
	if (r < 0)
		return r;
	archive_entry_keep_known_xattrs(entry);
	set_owner(unpacker, entry);
	if (archive_write_header(unpacker->disk, entry) != ARCHIVE_OK)
		return unpacker_fail(unpacker, unpacker->disk, "cannot unpack", name);
	if (archive_entry_size(entry) > 0 || !archive_entry_size_is_set(entry))
		r = copy_content(unpacker, name);
	if (r == 0 && archive_write_finish_entry(unpacker->disk) != ARCHIVE_OK)
		return unpacker_fail(unpacker, unpacker->disk, "cannot unpack", name);
	return r;
}

/* An uncompressed tar file that was cut between two files reads as a whole one, but has no end mark of zeros. */
static int check_end(struct unpacker *unpacker)
{
	char end[END_OF_TAR];
	struct stat st;

	if ((archive_format(unpacker->in) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_TAR ||
	    archive_filter_count(unpacker->in) > 1 || fstat(unpacker->in_fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (st.st_size >= END_OF_TAR &&
	    pread(unpacker->in_fd, end, sizeof end, st.st_size - END_OF_TAR) == END_OF_TAR) {
		for (size_t i = 0; i < sizeof end; i++)
			if (end[i])
				return refuse(unpacker, "the archive", "is cut off: its end mark is missing");
		return 0;
	}
	return refuse(unpacker, "the archive", "is cut off: its end mark is missing");
}

static int unpack_all(struct unpacker *unpacker)
{
	struct archive_entry *entry;
	unsigned long count = 0;
	int r;

	while ((r = archive_read_next_header(unpacker->in, &entry)) != ARCHIVE_EOF) {
		/* A warning is a name or an attribute that could not be understood: better refused than altered. */
		if (r != ARCHIVE_OK)
			return unpacker_fail(unpacker, unpacker->in, "cannot read",
					     r == ARCHIVE_WARN ? archive_entry_pathname(entry) : "the archive");
		r = unpack_entry(unpacker, entry);
		if (r < 0)
			return r;
		count++;
	}
	if (archive_write_close(unpacker->disk) != ARCHIVE_OK) /* modes and times of directories come last */
		return unpacker_fail(unpacker, unpacker->disk, "cannot finish", "the directories");
	return count ? check_end(unpacker) : refuse(unpacker, "the archive", "is empty");
}

static int prepare(struct unpacker *unpacker)
{
	const int flags = ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_ACL |
			  ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
			  ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS;
	int r;

	if (!unpacker->in || !unpacker->disk)
		return unpacker_fail(unpacker, NULL, "cannot unpack", "the archive");
	archive_write_disk_set_options(unpacker->disk, flags);
	if (unpacker->options->any_format) {
		archive_read_support_filter_all(unpacker->in); /* a warning: some need another program */
		r = archive_read_support_format_all(unpacker->in);
	} else {
		r = archive_read_support_format_tar(unpacker->in);
	}
	if (r < ARCHIVE_WARN || archive_read_open_fd(unpacker->in, unpacker->in_fd, BLOCK) != ARCHIVE_OK)
		return unpacker_fail(unpacker, unpacker->in, "cannot read", "the archive");
	return 0;
}

/* What fills the last record comes behind the end: who writes it into a pipe must not find that closed. */
static void hear_out(int in_fd)
{
	char rest[4096];

	for (size_t i = 0; i < PADDING_MAX / sizeof rest && read(in_fd, rest, sizeof rest) > 0; i++)
		;
}

int archive_unpack(int in_fd, int dir_fd, const struct archive_unpack_options *options, char *error, size_t error_size)
{
	struct unpacker unpacker = { .options = options, .in_fd = in_fd, .error = error, .error_size = error_size };
	int r;

	if (fchdir(dir_fd) < 0) {
		snprintf(error, error_size, "cannot enter the directory to unpack into: %s", strerrordesc_np(errno));
		return -errno;
	}
	unpacker.in = archive_read_new();
	unpacker.disk = archive_write_disk_new();
	r = prepare(&unpacker);
	if (r == 0)
		r = unpack_all(&unpacker);
	archive_read_free(unpacker.in);
	archive_write_free(unpacker.disk);
	if (r == 0 && !options->any_format)
		hear_out(in_fd);
	return r;
}
