/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-source.h"

#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>

#include "stream-mask.h"
#include "util/cleanup.h"

enum {
	READ_BYTES = 256 * 1024,
	TAIL_BYTES = 16 * 1024, /* not hashed yet: STREAM_END and what ends the archive, and more, must fit */
	HEADERS_BYTES_MAX = 8 << 20, /* of one member: names, attributes, the map of a file with holes */
	END_BYTES = 3 * STREAM_BLOCK, /* the content of STREAM_END, and two blocks of zeros that end a tar archive */
	FILTERS_MAX = 2, /* zstd, and the descriptor below it: nothing is compressed twice */
};

/*
 * Two archives, as in the sink: the outer one has a single "raw" member, from which the tar archive is read through
 * give_block(), which sees every byte. The last ones are kept back from the hash, since only the tar reader can say
 * where STREAM_END begins, and when it does it may have read on.
 */
struct stream_source {
	struct stream_error *error;
	struct archive *packed, *tar;
	struct archive_entry *entry;
	struct digest *digest;
	uint64_t total, hashed; /* bytes of the tar archive that came, and that were hashed */
	uint8_t tail[TAIL_BYTES]; /* those between the two */
	bool masked;
	uint8_t *unmasked; /* a block of such a stream */
	size_t unmasked_size;
	uint64_t members; /* that came before this one */
	uint64_t position, size; /* in its content */
	uint64_t headers_begin; /* total, when it was looked for */
	bool in_headers;
};

/* ---- bytes ---- */

static void take(struct stream_source *source, const uint8_t *data, size_t length)
{
	size_t kept = (size_t)(source->total - source->hashed);
	size_t surplus = kept + length > TAIL_BYTES ? kept + length - TAIL_BYTES : 0;
	size_t from_tail = surplus < kept ? surplus : kept, from_data = surplus - from_tail;

	digest_add(source->digest, source->tail, from_tail);
	digest_add(source->digest, data, from_data);
	memmove(source->tail, source->tail + from_tail, kept - from_tail);
	memcpy(source->tail + kept - from_tail, data + from_data, length - from_data);
	source->total += length;
	source->hashed += surplus;
}

/* Changes *block for what it was before it was masked, where it was. */
static bool unmask(struct stream_source *source, const void **block, size_t length)
{
	uint8_t *larger;

	if (source->total == 0)
		source->masked = stream_is_masked(*(const uint8_t *)*block);
	if (!source->masked)
		return true;
	if (length > source->unmasked_size) {
		larger = realloc(source->unmasked, length);
		if (!larger)
			return false;
		source->unmasked = larger;
		source->unmasked_size = length;
	}
	stream_mask(source->unmasked, *block, length);
	*block = source->unmasked;
	return true;
}

/* 1 with a block, 0 at the end, -1 where it is damaged. */
static int next_block(struct stream_source *source, const void **ret_block, size_t *ret_length)
{
	la_int64_t offset;
	int r;

	do
		r = archive_read_data_block(source->packed, ret_block, ret_length, &offset);
	while (r == ARCHIVE_OK && *ret_length == 0);
	if (r == ARCHIVE_OK && !unmask(source, ret_block, *ret_length)) {
		archive_set_error(source->packed, ENOMEM, "out of memory");
		return -1;
	}
	if (r == ARCHIVE_OK)
		take(source, *ret_block, *ret_length);
	return r == ARCHIVE_EOF ? 0 : r == ARCHIVE_OK ? 1 : -1;
}

static la_ssize_t give_block(struct archive *tar, void *data, const void **ret_block)
{
	struct stream_source *source = data;
	size_t length = 0;
	int r;

	if (source->in_headers && source->total - source->headers_begin > HEADERS_BYTES_MAX) {
		archive_set_error(tar, EINVAL, "headers without an end");
		return -1;
	}
	r = next_block(source, ret_block, &length);
	if (r < 0)
		archive_set_error(tar, EINVAL, "%s", archive_error_string(source->packed));
	return r < 0 ? -1 : (la_ssize_t)length;
}

/* ---- opening ---- */

static int damaged(struct stream_source *source, struct archive *where)
{
	const char *cause = archive_error_string(where);

	return stream_fail(source->error, STREAM_BAD, "the stream is damaged or cut off, at byte %" PRIu64 ": %s",
			   source->total, cause ? cause : "this is no archive");
}

static int open_archives(struct stream_source *source, int fd)
{
	struct archive_entry *entry;

	if (archive_read_support_filter_zstd(source->packed) != ARCHIVE_OK ||
	    archive_read_support_format_raw(source->packed) != ARCHIVE_OK ||
	    archive_read_open_fd(source->packed, fd, READ_BYTES) != ARCHIVE_OK ||
	    archive_read_next_header(source->packed, &entry) != ARCHIVE_OK)
		return damaged(source, source->packed);
	if (archive_filter_count(source->packed) > FILTERS_MAX)
		return stream_fail(source->error, STREAM_BAD, "the stream is compressed more than once");
	if (archive_read_support_format_tar(source->tar) != ARCHIVE_OK ||
	    archive_read_open(source->tar, source, NULL, give_block, NULL) != ARCHIVE_OK)
		return damaged(source, source->tar);
	return 0;
}

int stream_source_open(int fd, struct stream_error *error, struct stream_source **ret_source)
{
	struct stream_source *source = calloc(1, sizeof *source);
	int r;

	if (!source)
		return stream_fail(error, STREAM_FAILED, "out of memory");
	source->error = error;
	source->packed = archive_read_new();
	source->tar = archive_read_new();
	source->digest = digest_begin();
	if (source->packed && source->tar && source->digest)
		r = open_archives(source, fd);
	else
		r = stream_fail(error, STREAM_FAILED, "out of memory");
	if (r < 0)
		stream_source_free(&source);
	else
		*ret_source = source;
	return r;
}

void stream_source_free(struct stream_source **source)
{
	uint8_t unused[DIGEST_SHA256_BYTES];

	if (!*source)
		return;
	archive_read_free((*source)->tar);
	archive_read_free((*source)->packed);
	free((*source)->unmasked);
	if ((*source)->digest)
		digest_end((*source)->digest, unused);
	free(*source);
	*source = NULL;
}

/* ---- members ---- */

int stream_source_refuse(struct stream_source *source, const char *why)
{
	const char *name = archive_entry_pathname(source->entry);

	return stream_fail(source->error, STREAM_BAD, "%.400s (at byte %" PRIu64 ") %s", name ? name : "a member",
			   (uint64_t)archive_read_header_position(source->tar), why);
}

/* See STREAM_PLACEHOLDER. */
static int take_name(struct stream_source *source, struct archive_entry *entry)
{
	CLEANUP_FREE char *copy = NULL;
	const void *value;
	const char *name;
	size_t size;

	if (!text_equal(archive_entry_pathname(entry), STREAM_PLACEHOLDER))
		return 0;
	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
		if (text_equal(name, STREAM_MARK_NAME))
			break;
		else
			name = NULL;
	if (!name || size > STREAM_PATH_MAX)
		return stream_source_refuse(source, "is without its own name");
	copy = strndup(value, size);
	if (!copy)
		return stream_fail(source->error, STREAM_FAILED, "out of memory");
	archive_entry_copy_pathname(entry, copy);
	return text_empty(copy) ? stream_source_refuse(source, "is without its own name") : 0;
}

/* The tar reader understands many dialects; what a stream is written in is one. */
static int check_header(struct stream_source *source, struct archive_entry *entry)
{
	int format = archive_format(source->tar);
	bool is_file = archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry);

	if (format != ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE && format != ARCHIVE_FORMAT_TAR_USTAR)
		return stream_source_refuse(source, "has a header that is not in pax format");
	if (text_empty(archive_entry_pathname(entry)))
		return stream_source_refuse(source, "has no name");
	if (archive_entry_acl_types(entry))
		return stream_source_refuse(source, "has an access control list as text");
	if (archive_entry_size(entry) < 0 || (!is_file && archive_entry_size(entry) > 0))
		return stream_source_refuse(source, "has a size that it cannot have");
	return 0;
}

int stream_source_next(struct stream_source *source, struct archive_entry **ret_entry)
{
	int r;

	if (source->entry)
		source->members++;
	source->headers_begin = source->total;
	source->in_headers = true;
	r = archive_read_next_header(source->tar, &source->entry);
	source->in_headers = false;
	if (r == ARCHIVE_EOF)
		return stream_fail(source->error, STREAM_BAD,
				   "the stream is cut off, at byte %" PRIu64 ": it has no " STREAM_END, source->total);
	if (r != ARCHIVE_OK) /* a warning is a name or an attribute that could not be understood */
		return damaged(source, source->tar);
	source->position = 0;
	source->size = (uint64_t)archive_entry_size(source->entry);
	*ret_entry = source->entry;
	r = check_header(source, source->entry);
	return r < 0 ? r : take_name(source, source->entry);
}

int stream_source_read(struct stream_source *source, const void **ret_data, size_t *ret_length, uint64_t *ret_offset)
{
	la_int64_t offset;
	size_t length;
	int r = archive_read_data_block(source->tar, ret_data, &length, &offset);

	*ret_length = 0;
	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK)
		return damaged(source, source->tar);
	if (offset < 0 || (uint64_t)offset < source->position || (uint64_t)offset > source->size ||
	    length > source->size - (uint64_t)offset)
		return stream_source_refuse(source, "has content beyond its own end, or not in order");
	source->position = (uint64_t)offset + length;
	*ret_length = length;
	*ret_offset = (uint64_t)offset;
	return 0;
}

int stream_source_read_all(struct stream_source *source, size_t max, char **ret_data, size_t *ret_length)
{
	CLEANUP_FREE char *all = NULL;
	uint64_t offset, filled = 0;
	const void *data;
	size_t length;
	int r;

	if (source->size > max)
		return stream_source_refuse(source, "is too large for what it is");
	all = malloc((size_t)source->size + 1);
	if (!all)
		return stream_fail(source->error, STREAM_FAILED, "out of memory");
	while ((r = stream_source_read(source, &data, &length, &offset)) == 0 && length > 0) {
		if (offset != filled)
			return stream_source_refuse(source, "has holes, which it must not");
		memcpy(all + offset, data, length);
		filled += length;
	}
	if (r < 0)
		return r;
	if (filled != source->size)
		return stream_source_refuse(source, "is not all there");
	all[filled] = '\0';
	*ret_data = TAKE_PTR(all);
	*ret_length = (size_t)filled;
	return 0;
}

/* ---- the end ---- */

/* Reads on to where nothing comes any more: by the tar reader, for whom the archive ends first, and behind it. */
static int run_out(struct stream_source *source)
{
	struct archive_entry *entry;
	const void *block;
	size_t length;
	int r = archive_read_next_header(source->tar, &entry);

	source->entry = NULL;
	if (r != ARCHIVE_EOF && r != ARCHIVE_OK)
		return damaged(source, source->tar);
	if (r == ARCHIVE_OK || (r = next_block(source, &block, &length)) > 0)
		return stream_fail(source->error, STREAM_BAD, "there is something behind the stream's end");
	return r < 0 ? damaged(source, source->packed) : 0;
}

static bool is_zeros(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i])
			return false;
	return true;
}

/* Is what comes from @begin on exactly @text, and zeros? */
static bool is_the_end(const struct stream_source *source, uint64_t begin, const char *text, size_t length)
{
	const uint8_t *content = source->tail + (begin - source->hashed);

	return memcmp(content, text, length) == 0 && is_zeros(content + length, END_BYTES - length);
}

int stream_source_end(struct stream_source *source)
{
	uint64_t header = (uint64_t)archive_read_header_position(source->tar), begin;
	uint8_t digest[DIGEST_SHA256_BYTES];
	char text[STREAM_END_TEXT_MAX];
	size_t length;
	int r = run_out(source);

	if (r < 0)
		return r;
	/*
	 * Counted from the end, for who knows how many blocks its header has. The text is always shorter than a block.
	 */
	begin = source->total < END_BYTES ? 0 : source->total - END_BYTES;
	if (begin < source->hashed || begin < header + STREAM_BLOCK)
		return stream_fail(source->error, STREAM_BAD, "the stream's end, at byte %" PRIu64 ", is not the end",
				   header);
	digest_add(source->digest, source->tail, (size_t)(begin - source->hashed));
	digest_end(TAKE_PTR(source->digest), digest);
	length = stream_end_text(source->members, begin, digest, text);
	if (!is_the_end(source, begin, text, length))
		return stream_fail(source->error, STREAM_BAD,
				   "the stream was damaged on its way: what came is not what its " STREAM_END " says");
	return 0;
}
