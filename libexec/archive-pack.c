/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "archive-pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "archive-entry.h"
#include "util/text.h"

struct packer {
	struct archive *disk;
	struct archive *out;
	struct archive_entry_linkresolver *links;
	const char *path, *rename_to;
	int out_fd;
	bool failed;
	char *error;
	size_t error_size;
};

static int packer_fail(struct packer *packer, struct archive *where, const char *what, const char *name)
{
	return archive_sentence(where, what, name, packer->error, packer->error_size);
}

/* After a failure nothing more is written: freeing the archive would give it a proper end. */
static la_ssize_t write_block(struct archive *out, void *data, const void *block, size_t length)
{
	const struct packer *packer = data;
	ssize_t n = packer->failed ? (ssize_t)length : write(packer->out_fd, block, length);

	if (n < 0)
		archive_set_error(out, errno, "%s", strerrordesc_np(errno));
	return n;
}

/* path/rest becomes rename_to/rest. */
static int rename_entry(struct packer *packer, struct archive_entry *entry)
{
	const char *rest = archive_entry_pathname(entry);
	CLEANUP_FREE char *name = NULL;

	if (!rest || !packer->rename_to)
		return 0;
	rest = text_after(rest, packer->path);
	if (!rest)
		return -EINVAL;
	rest += strspn(rest, "/");
	name = text_format("%s%s%s", packer->rename_to, *rest ? "/" : "", rest);
	if (!name)
		return -ENOMEM;
	archive_entry_copy_pathname(entry, name);
	return 0;
}

/* Writes zeros for a hole: the pax writer takes the whole file and leaves out what it knows to be holes. */
static bool write_hole(struct archive *out, la_int64_t length)
{
	static const char zeros[65536];

	while (length > 0) {
		size_t n = length < (la_int64_t)sizeof zeros ? (size_t)length : sizeof zeros;

		if (archive_write_data(out, zeros, n) < 0)
			return false;
		length -= (la_int64_t)n;
	}
	return true;
}

static int write_content(struct packer *packer, const char *name)
{
	la_int64_t position = 0, offset;
	const void *data;
	size_t length;
	int r;

	while ((r = archive_read_data_block(packer->disk, &data, &length, &offset)) == ARCHIVE_OK) {
		if (!write_hole(packer->out, offset - position) || archive_write_data(packer->out, data, length) < 0)
			return packer_fail(packer, packer->out, "cannot write", name);
		position = offset + (la_int64_t)length;
	}
	return r == ARCHIVE_EOF ? 0 : packer_fail(packer, packer->disk, "cannot read", name);
}

static int write_entry(struct packer *packer, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	if (archive_write_header(packer->out, entry) != ARCHIVE_OK)
		return packer_fail(packer, packer->out, "cannot pack", name);
	if (archive_entry_hardlink(entry) || archive_entry_size(entry) <= 0)
		return 0;
	return write_content(packer, name);
}

static bool is_wanted(const struct archive_entry *entry)
{
	mode_t type = archive_entry_filetype((struct archive_entry *)(uintptr_t)entry);

	return type == AE_IFREG || type == AE_IFDIR || type == AE_IFLNK || type == AE_IFIFO;
}

static int pack_entry(struct packer *packer, struct archive_entry *entry)
{
	struct archive_entry *later = NULL;
	int r;

	if (!is_wanted(entry))
		return 0;
	archive_entry_keep_known_xattrs(entry);
	r = rename_entry(packer, entry);
	if (r < 0)
		return packer_fail(packer, NULL, "cannot pack", archive_entry_pathname(entry));
	if (!archive_entry_has_plain_name(entry))
		archive_entry_sparse_clear(entry); /* the holes are lost, but not the name */
	archive_entry_linkify(packer->links, &entry, &later); /* tar's strategy never keeps one for later */
	return write_entry(packer, entry);
}

static int pack_all(struct packer *packer, struct archive_entry *entry)
{
	int r;

	if (archive_read_disk_open(packer->disk, packer->path) != ARCHIVE_OK)
		return packer_fail(packer, packer->disk, "cannot read", packer->path);
	for (;;) {
		archive_entry_clear(entry);
		r = archive_read_next_header2(packer->disk, entry);
		if (r == ARCHIVE_EOF)
			break;
		if (r != ARCHIVE_OK)
			return packer_fail(packer, packer->disk, "cannot read", archive_entry_pathname(entry));
		archive_read_disk_descend(packer->disk);
		r = pack_entry(packer, entry);
		if (r < 0)
			return r;
	}
	if (archive_write_close(packer->out) != ARCHIVE_OK)
		return packer_fail(packer, packer->out, "cannot finish", packer->path);
	return 0;
}

static int prepare(struct packer *packer)
{
	const int behaviour = ARCHIVE_READDISK_NO_FFLAGS | ARCHIVE_READDISK_NO_TRAVERSE_MOUNTS;

	if (!packer->disk || !packer->out || !packer->links)
		return packer_fail(packer, NULL, "cannot pack", packer->path);
	if (archive_read_disk_set_symlink_physical(packer->disk) != ARCHIVE_OK ||
	    archive_read_disk_set_behavior(packer->disk, behaviour) != ARCHIVE_OK)
		return packer_fail(packer, packer->disk, "cannot read", packer->path);
	/* BINARY: names are bytes, as they are for the kernel. */
	if (archive_write_set_format_pax(packer->out) != ARCHIVE_OK ||
	    archive_write_set_options(packer->out, "hdrcharset=BINARY") != ARCHIVE_OK ||
	    archive_write_open(packer->out, packer, NULL, write_block, NULL) != ARCHIVE_OK)
		return packer_fail(packer, packer->out, "cannot pack", packer->path);
	archive_entry_linkresolver_set_strategy(packer->links, archive_format(packer->out));
	return 0;
}

int archive_pack(int out_fd, int dir_fd, const char *path, const char *rename_to, char *error, size_t error_size)
{
	struct packer packer = {
		.path = path,
		.rename_to = rename_to,
		.out_fd = out_fd,
		.error = error,
		.error_size = error_size,
	};
	struct archive_entry *entry;
	int r;

	if (fchdir(dir_fd) < 0) {
		snprintf(error, error_size, "cannot enter the directory of %s: %s", path, strerrordesc_np(errno));
		return -errno;
	}
	entry = archive_entry_new();
	packer.disk = archive_read_disk_new();
	packer.out = archive_write_new();
	packer.links = archive_entry_linkresolver_new();
	r = entry ? prepare(&packer) : packer_fail(&packer, NULL, "cannot pack", path);
	if (r == 0)
		r = pack_all(&packer, entry);
	archive_entry_free(entry);
	archive_read_free(packer.disk);
	packer.failed = r < 0;
	archive_write_free(packer.out);
	if (packer.links)
		archive_entry_linkresolver_free(packer.links);
	return r;
}
