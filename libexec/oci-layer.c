/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci-layer.h"

#include <archive.h>
#include <archive_entry.h>

#include "adapters/digest.h"
#include "oci-tar.h"

enum { BLOCK = 256 * 1024 };

/* ---- writing: tar, its digest, gzip, its digest, the file ---- */

struct layer_writer {
	struct oci_blob blob;
	struct digest *diff;
	struct archive *gzip;
	int failed;                   /* why no more could be written */
};

static la_ssize_t take_compressed(struct archive *gzip, void *data, const void *block, size_t length)
{
	struct layer_writer *writer = data;

	(void)gzip;
	if (writer->failed == 0)
		writer->failed = oci_blob_add(&writer->blob, block, length);
	return writer->failed < 0 ? -1 : (la_ssize_t)length;
}

static int take_plain(const void *data, size_t length, void *userdata)
{
	struct layer_writer *writer = userdata;

	digest_add(writer->diff, data, length);
	if (archive_write_data(writer->gzip, data, length) == (la_ssize_t)length)
		return 0;
	return writer->failed < 0 ? writer->failed : -EIO;
}

/*
 * A raw archive is its only entry's content: so the tar archive gets compressed. No time, so that it is always the
 * same.
 */
static struct archive *open_gzip(struct layer_writer *writer)
{
	struct archive_entry *entry = archive_entry_new();
	struct archive *gzip = archive_write_new();
	bool open = entry && gzip && archive_write_set_format_raw(gzip) == ARCHIVE_OK &&
		    archive_write_add_filter_gzip(gzip) == ARCHIVE_OK &&
		    archive_write_set_options(gzip, "gzip:!timestamp") == ARCHIVE_OK &&
		    archive_write_set_bytes_in_last_block(gzip, 1) == ARCHIVE_OK &&
		    archive_write_open(gzip, writer, NULL, take_compressed, NULL) == ARCHIVE_OK;

	if (open) {
		archive_entry_set_filetype(entry, AE_IFREG);
		open = archive_write_header(gzip, entry) == ARCHIVE_OK;
	}
	archive_entry_free(entry);
	if (!open) {
		archive_write_free(gzip);
		return NULL;
	}
	return gzip;
}

static int write_tar(const struct oci_layout *layout, int tree_fd, int below_fd, struct layer_writer *writer)
{
	struct oci_tar_sink sink = { .fn = take_plain, .userdata = writer };
	struct archive *tar = oci_tar_open(&sink);
	int r;

	if (!tar)
		return oci_fail_memory(layout->error);
	r = oci_tar_write(tree_fd, below_fd, tar, layout->error);
	if (r == 0 && archive_write_close(tar) != ARCHIVE_OK)
		r = oci_fail_archive(layout->error, tar, "cannot finish", "the layer");
	archive_write_free(tar);
	if (writer->failed < 0)
		return oci_fail_errno(layout->error, writer->failed, "cannot write to %s", layout->path);
	return r;
}

int oci_layer_write(const struct oci_layout *layout, int tree_fd, int below_fd, struct oci_layer *ret_layer)
{
	struct layer_writer writer = { .blob = OCI_BLOB_EMPTY };
	struct oci_layer layer;
	uint8_t bytes[DIGEST_SHA256_BYTES];
	int r = oci_blob_begin(layout, &writer.blob);

	if (r < 0)
		return r;
	writer.diff = digest_begin();
	writer.gzip = open_gzip(&writer);
	r = writer.diff && writer.gzip ? write_tar(layout, tree_fd, below_fd, &writer) : oci_fail_memory(layout->error);
	if (r == 0 && archive_write_close(writer.gzip) != ARCHIVE_OK)
		r = oci_fail_errno(layout->error, writer.failed < 0 ? writer.failed : -EIO, "cannot write to %s",
				   layout->path);
	if (r < 0 && writer.failed == 0)
		writer.failed = r; /* freeing writes, too */
	archive_write_free(writer.gzip);
	if (writer.diff)
		digest_end(writer.diff, bytes);
	if (r == 0) {
		oci_digest_format(bytes, layer.diff_id);
		r = oci_blob_finish(&writer.blob, &layer.blob);
	}
	oci_blob_end(&writer.blob);
	if (r == 0)
		*ret_layer = layer;
	return r;
}

/* ---- reading: the file, its digest, gunzip, its digest, tar ---- */

static la_ssize_t read_compressed(struct archive *raw, void *data, const void **ret_block)
{
	struct oci_layer_reader *reader = data;
	ssize_t n = read(reader->fd, reader->block, BLOCK);

	if (n < 0) {
		archive_set_error(raw, errno, "%s", strerrordesc_np(errno));
		return -1;
	}
	digest_add(reader->digest, reader->block, (size_t)n);
	reader->read += (uint64_t)n;
	if (reader->read > reader->layer->blob.size) {
		archive_set_error(raw, EBADMSG, "it has grown while it was read");
		return -1;
	}
	*ret_block = reader->block;
	return n;
}

static la_ssize_t read_plain(struct archive *tar, void *data, const void **ret_block)
{
	struct oci_layer_reader *reader = data;
	la_ssize_t n = archive_read_data(reader->raw, reader->plain, BLOCK);

	if (n < 0) {
		const char *cause = archive_error_string(reader->raw);

		archive_set_error(tar, EBADMSG, "%s", cause ? cause : "it cannot be decompressed");
		return -1;
	}
	reader->is_at_end = n == 0;
	digest_add(reader->diff, reader->plain, (size_t)n);
	*ret_block = reader->plain;
	return n;
}

/* Nothing but the compression that was announced: libarchive knows some for which it would run a program. */
static int add_filter(struct archive *raw, enum oci_compression compression)
{
	switch (compression) {
	case OCI_GZIP:
		return archive_read_support_filter_gzip(raw);
	case OCI_ZSTD:
		return archive_read_support_filter_zstd(raw);
	default:
		return ARCHIVE_OK;
	}
}

static int fail_read(struct oci_layer_reader *reader, struct archive *where)
{
	char what[OCI_DIGEST_SIZE + 64];

	snprintf(what, sizeof what, "the layer %s", reader->layer->blob.digest);
	oci_fail_archive(reader->layout->error, where, "cannot read", what);
	return OCI_BAD_IMAGE;
}

int oci_layer_reader_begin(const struct oci_layout *layout, const struct oci_layer *layer,
			   enum oci_compression compression, struct oci_layer_reader *reader)
{
	struct archive_entry *entry;

	*reader = (struct oci_layer_reader){ .layout = layout, .layer = layer, .fd = -1 };
	reader->fd = oci_blob_open(layout, &layer->blob);
	if (reader->fd < 0)
		return reader->fd;
	reader->digest = digest_begin();
	reader->diff = digest_begin();
	reader->raw = archive_read_new();
	reader->tar = archive_read_new();
	reader->block = malloc(BLOCK);
	reader->plain = malloc(BLOCK);
	if (!reader->digest || !reader->diff || !reader->raw || !reader->tar || !reader->block || !reader->plain)
		return oci_fail_memory(layout->error);
	if (add_filter(reader->raw, compression) != ARCHIVE_OK ||
	    archive_read_support_format_raw(reader->raw) != ARCHIVE_OK ||
	    archive_read_open(reader->raw, reader, NULL, read_compressed, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(reader->raw, &entry) != ARCHIVE_OK)
		return fail_read(reader, reader->raw);
	if (archive_read_support_format_tar(reader->tar) != ARCHIVE_OK ||
	    archive_read_open(reader->tar, reader, NULL, read_plain, NULL) != ARCHIVE_OK)
		return fail_read(reader, reader->tar);
	return 0;
}

static int check(struct oci_layer_reader *reader, struct digest **digest, const char *expected, const char *what)
{
	char found[OCI_DIGEST_SIZE];
	uint8_t bytes[DIGEST_SHA256_BYTES];

	digest_end(TAKE_PTR(*digest), bytes);
	oci_digest_format(bytes, found);
	if (text_equal(found, expected))
		return 0;
	return oci_fail(reader->layout->error, OCI_BAD_IMAGE, "the layer %s is damaged: its %s is %s, not %s",
			reader->layer->blob.digest, what, found, expected);
}

int oci_layer_reader_finish(struct oci_layer_reader *reader)
{
	const void *block;
	la_ssize_t n = 0;
	int r;

	while (!reader->is_at_end)
		if (read_plain(reader->tar, reader, &block) < 0)
			return fail_read(reader, reader->tar);
	while ((n = read_compressed(reader->raw, reader, &block)) > 0)
		;
	if (n < 0)
		return fail_read(reader, reader->raw);
	r = check(reader, &reader->digest, reader->layer->blob.digest, "digest");
	return r < 0 ? r : check(reader, &reader->diff, reader->layer->diff_id, "uncompressed digest");
}

static void end_digest(struct digest **digest)
{
	uint8_t bytes[DIGEST_SHA256_BYTES];

	if (*digest)
		digest_end(TAKE_PTR(*digest), bytes);
}

void oci_layer_reader_end(struct oci_layer_reader *reader)
{
	archive_read_free(TAKE_PTR(reader->tar));
	archive_read_free(TAKE_PTR(reader->raw));
	end_digest(&reader->digest);
	end_digest(&reader->diff);
	free(TAKE_PTR(reader->block));
	free(TAKE_PTR(reader->plain));
	close_fd(take_fd(&reader->fd));
}
