/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-content.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "archive-entry.h"
#include "stream-format.h"
#include "stream-sink.h"

enum { SMALLEST_GAP = 64 * 1024 };

struct extent {
	off_t begin, end;
};

/* Where a file has more pieces than a header should tell of, the smaller holes between them become content. */
struct extents {
	struct extent items[STREAM_EXTENTS_MAX];
	size_t count;
	off_t gap; /* holes must be larger */
};

static void extents_join(struct extents *extents)
{
	size_t count = 0;

	for (size_t i = 1; i < extents->count; i++)
		if (extents->items[i].begin - extents->items[count].end <= extents->gap)
			extents->items[count].end = extents->items[i].end;
		else
			extents->items[++count] = extents->items[i];
	extents->count = count + 1;
}

static void extents_add(struct extents *extents, off_t begin, off_t end)
{
	struct extent *last = extents->count ? &extents->items[extents->count - 1] : NULL;

	if (last && begin - last->end <= extents->gap) {
		last->end = end;
		return;
	}
	while (extents->count == STREAM_EXTENTS_MAX) {
		extents->gap = extents->gap ? extents->gap * 2 : SMALLEST_GAP;
		extents_join(extents);
	}
	extents->items[extents->count++] = (struct extent){ begin, end };
}

/* A file system that knows of no holes says that everything is data. */
static int find_extents(int fd, off_t size, struct extents *extents)
{
	off_t begin, end = 0;

	while (end < size) {
		begin = lseek(fd, end, SEEK_DATA);
		if (begin < 0 && errno == ENXIO)
			return 0;
		end = begin < 0 ? -1 : lseek(fd, begin, SEEK_HOLE);
		if (end < 0)
			return -errno;
		extents_add(extents, begin, end < size ? end : size);
	}
	return 0;
}

static void use_placeholder(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	if (archive_entry_has_plain_name(entry) || archive_entry_sparse_count(entry) == 0)
		return;
	archive_entry_xattr_add_entry(entry, STREAM_MARK_NAME, name, strlen(name));
	archive_entry_copy_pathname(entry, STREAM_PLACEHOLDER);
}

int stream_content_find_holes(int fd, struct archive_entry *entry, struct stream_error *error)
{
	CLEANUP_FREE struct extents *extents = NULL;
	struct stat st;
	int r;

	archive_entry_sparse_clear(entry);
	if (fstat(fd, &st) < 0)
		return stream_fail_errno(error, STREAM_FAILED, errno, "cannot read %s", archive_entry_pathname(entry));
	if (st.st_size == 0 || st.st_blocks >= (st.st_size + 511) / 512)
		return 0;
	extents = calloc(1, sizeof *extents);
	r = extents ? find_extents(fd, st.st_size, extents) : -ENOMEM;
	if (r < 0)
		return stream_fail_errno(error, STREAM_FAILED, -r, "cannot read %s", archive_entry_pathname(entry));
	for (size_t i = 0; i < extents->count; i++)
		archive_entry_sparse_add_entry(entry, extents->items[i].begin,
					       extents->items[i].end - extents->items[i].begin);
	if (extents->count == 0)
		archive_entry_sparse_add_entry(entry, 0, 0);
	use_placeholder(entry);
	return 0;
}

static int send_range(int fd, off_t begin, off_t end, struct stream_sink *sink, char *buffer, const char *name,
		      struct stream_error *error)
{
	while (begin < end) {
		size_t want = end - begin < STREAM_BUFFER ? (size_t)(end - begin) : STREAM_BUFFER;
		ssize_t n = pread(fd, buffer, want, begin);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return stream_fail_errno(error, STREAM_FAILED, errno, "cannot read %s", name);
		if (n == 0)
			return stream_fail(error, STREAM_FAILED, "cannot read %s: it became shorter meanwhile", name);
		r = stream_sink_write(sink, buffer, (size_t)n);
		if (r < 0)
			return r;
		begin += n;
	}
	return 0;
}

int stream_content_send(int fd, struct archive_entry *entry, struct stream_sink *sink, char *buffer,
			struct stream_error *error)
{
	const char *name = archive_entry_pathname(entry);
	la_int64_t begin, length, position = 0;
	int r = 0;

	if (archive_entry_sparse_reset(entry) == 0)
		return send_range(fd, 0, archive_entry_size(entry), sink, buffer, name, error);
	while (r == 0 && archive_entry_sparse_next(entry, &begin, &length) == ARCHIVE_OK) {
		r = stream_sink_pass_hole(sink, (uint64_t)(begin - position));
		if (r == 0)
			r = send_range(fd, begin, begin + length, sink, buffer, name, error);
		position = begin + length;
	}
	/* With this one at the latest the map of the holes is written. */
	return r < 0 ? r : stream_sink_pass_hole(sink, (uint64_t)(archive_entry_size(entry) - position));
}
