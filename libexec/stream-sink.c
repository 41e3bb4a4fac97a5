/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-sink.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/mman.h>

#include "stream-mask.h"

enum { WRITE_BYTES = 256 * 1024, NOTHING_BYTES = 256 << 20, MASK_BYTES = 16 * 1024 };

/* Two archives: the pax archive is hashed as it is, then given to one of a single "raw" member, which compresses. */
struct stream_sink {
	struct stream_error *error;
	struct archive *tar, *packed;
	struct digest *digest; /* of all bytes of the tar archive so far */
	const void *nothing; /* address space for holes, which nobody reads */
	uint64_t members, bytes;
	bool masked;
	int fd;
	int write_error;
	bool failed;
};

static int sink_fail(struct stream_sink *sink, struct archive *where, const char *what)
{
	const char *cause = archive_error_string(where);

	if (sink->write_error)
		return stream_fail_errno(sink->error, STREAM_FAILED, sink->write_error, "cannot write the stream");
	return stream_fail(sink->error, STREAM_FAILED, "cannot write %s: %s", what,
			   cause ? cause : "no reason was given");
}

/* After a failure nothing more is written: freeing the archives would give them a proper end. */
static la_ssize_t write_packed(struct archive *packed, void *data, const void *block, size_t length)
{
	struct stream_sink *sink = data;
	ssize_t n = (ssize_t)length;

	while (!sink->failed && (n = write(sink->fd, block, length)) < 0 && errno == EINTR)
		;
	if (n >= 0)
		return n;
	sink->write_error = errno;
	archive_set_error(packed, errno, "%s", strerrordesc_np(errno));
	return -1;
}

static bool write_block(struct stream_sink *sink, const uint8_t *block, size_t length)
{
	uint8_t masked[MASK_BYTES];

	if (!sink->masked)
		return archive_write_data(sink->packed, block, length) == (la_ssize_t)length;
	for (size_t n; length > 0; block += n, length -= n) {
		n = length < sizeof masked ? length : sizeof masked;
		stream_mask(masked, block, n);
		if (archive_write_data(sink->packed, masked, n) != (la_ssize_t)n)
			return false;
	}
	return true;
}

static la_ssize_t take_tar(struct archive *tar, void *data, const void *block, size_t length)
{
	struct stream_sink *sink = data;

	if (sink->failed)
		return (la_ssize_t)length;
	if (sink->digest)
		digest_add(sink->digest, block, length);
	sink->bytes += length;
	if (write_block(sink, block, length))
		return (la_ssize_t)length;
	archive_set_error(tar, archive_errno(sink->packed), "%s", archive_error_string(sink->packed));
	return -1;
}

static bool open_packed(struct stream_sink *sink, bool compressed)
{
	struct archive_entry *entry = archive_entry_new();
	bool good = entry != NULL;

	if (good && compressed) {
		good = archive_write_add_filter_zstd(sink->packed) == ARCHIVE_OK &&
		       archive_write_set_filter_option(sink->packed, "zstd", "compression-level", "3") == ARCHIVE_OK;
		/* One thread compresses while this one reads and hashes; a library that cannot do that says so here. */
		if (good)
			archive_write_set_filter_option(sink->packed, "zstd", "threads", "1");
	}
	good = good && archive_write_set_format_raw(sink->packed) == ARCHIVE_OK &&
	       archive_write_set_bytes_per_block(sink->packed, WRITE_BYTES) == ARCHIVE_OK &&
	       archive_write_set_bytes_in_last_block(sink->packed, 1) == ARCHIVE_OK &&
	       archive_write_open(sink->packed, sink, NULL, write_packed, NULL) == ARCHIVE_OK;
	if (good) {
		archive_entry_set_pathname(entry, "stream");
		archive_entry_set_filetype(entry, AE_IFREG);
		good = archive_write_header(sink->packed, entry) == ARCHIVE_OK;
	}
	archive_entry_free(entry);
	return good;
}

/*
 * BINARY: names are bytes, as they are for the kernel. Of the two ways to write attributes, the one that can any name.
 */
static bool open_tar(struct stream_sink *sink)
{
	return archive_write_set_format_pax(sink->tar) == ARCHIVE_OK &&
	       archive_write_set_options(sink->tar, "hdrcharset=BINARY,xattrheader=LIBARCHIVE") == ARCHIVE_OK &&
	       archive_write_set_bytes_per_block(sink->tar, 0) == ARCHIVE_OK &&
	       archive_write_set_bytes_in_last_block(sink->tar, 1) == ARCHIVE_OK &&
	       archive_write_open(sink->tar, sink, NULL, take_tar, NULL) == ARCHIVE_OK;
}

int stream_sink_open(int fd, enum stream_form form, struct stream_error *error, struct stream_sink **ret_sink)
{
	struct stream_sink *sink = calloc(1, sizeof *sink);
	int r = 0;

	if (!sink)
		return stream_fail(error, STREAM_FAILED, "out of memory");
	sink->fd = fd;
	sink->masked = form == STREAM_MASKED;
	sink->error = error;
	sink->tar = archive_write_new();
	sink->packed = archive_write_new();
	sink->digest = digest_begin();
	sink->nothing = mmap(NULL, NOTHING_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!sink->tar || !sink->packed || !sink->digest || sink->nothing == MAP_FAILED)
		r = stream_fail(error, STREAM_FAILED, "out of memory");
	else if (!open_packed(sink, form == STREAM_COMPRESSED))
		r = sink_fail(sink, sink->packed, "the stream");
	else if (!open_tar(sink))
		r = sink_fail(sink, sink->tar, "the stream");
	if (r < 0)
		stream_sink_free(&sink);
	else
		*ret_sink = sink;
	return r;
}

int stream_sink_begin(struct stream_sink *sink, struct archive_entry *entry)
{
	if (archive_write_header(sink->tar, entry) != ARCHIVE_OK)
		return sink_fail(sink, sink->tar, archive_entry_pathname(entry));
	sink->members++;
	return 0;
}

int stream_sink_write(struct stream_sink *sink, const void *data, size_t length)
{
	if (archive_write_data(sink->tar, data, length) != (la_ssize_t)length)
		return sink_fail(sink, sink->tar, "a file's content");
	return 0;
}

/* The pax writer wants to be given the whole file, and does not look at what it knows to be holes. */
int stream_sink_pass_hole(struct stream_sink *sink, uint64_t length)
{
	int r = 0;

	while (r == 0 && length > 0) {
		size_t n = length < NOTHING_BYTES ? (size_t)length : NOTHING_BYTES;

		r = stream_sink_write(sink, sink->nothing, n);
		length -= n;
	}
	return r;
}

static struct archive_entry *file_entry(const char *name, const char *mark, uint64_t length)
{
	struct archive_entry *entry = archive_entry_new();

	if (!entry)
		return NULL;
	archive_entry_set_pathname(entry, name);
	archive_entry_set_mode(entry, AE_IFREG | 0644);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	archive_entry_set_mtime(entry, 0, 0);
	archive_entry_set_size(entry, (la_int64_t)length);
	if (mark)
		archive_entry_xattr_add_entry(entry, mark, "y", 1);
	return entry;
}

int stream_sink_begin_file(struct stream_sink *sink, const char *name, const char *mark, uint64_t length)
{
	struct archive_entry *entry = file_entry(name, mark, length);
	int r;

	if (!entry)
		return stream_fail(sink->error, STREAM_FAILED, "out of memory");
	r = stream_sink_begin(sink, entry);
	archive_entry_free(entry);
	return r;
}

int stream_sink_add_file(struct stream_sink *sink, const char *name, const char *mark, const void *data, size_t length)
{
	int r = stream_sink_begin_file(sink, name, mark, length);

	return r < 0 || !length ? r : stream_sink_write(sink, data, length);
}

/* Numbers and digest say what stands before the content they are in: its length has to be known before they are. */
int stream_sink_end(struct stream_sink *sink)
{
	uint8_t digest[DIGEST_SHA256_BYTES] = { 0 };
	uint64_t members = sink->members;
	char text[STREAM_END_TEXT_MAX];
	size_t length = stream_end_text(members, 0, digest, text);
	int r = stream_sink_begin_file(sink, STREAM_END, NULL, length);

	if (r < 0)
		return r;
	digest_end(TAKE_PTR(sink->digest), digest);
	stream_end_text(members, sink->bytes, digest, text);
	r = stream_sink_write(sink, text, length);
	if (r < 0)
		return r;
	if (archive_write_close(sink->tar) != ARCHIVE_OK)
		return sink_fail(sink, sink->tar, "the end");
	return archive_write_close(sink->packed) == ARCHIVE_OK ? 0 : sink_fail(sink, sink->packed, "the end");
}

void stream_sink_free(struct stream_sink **sink)
{
	uint8_t unused[DIGEST_SHA256_BYTES];

	if (!*sink)
		return;
	(*sink)->failed = true;
	archive_write_free((*sink)->tar);
	archive_write_free((*sink)->packed);
	if ((*sink)->digest)
		digest_end((*sink)->digest, unused);
	if ((*sink)->nothing && (*sink)->nothing != MAP_FAILED)
		munmap((void *)(uintptr_t)(*sink)->nothing, NOTHING_BYTES);
	free(*sink);
	*sink = NULL;
}
