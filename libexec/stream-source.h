/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a stream comes from: decompressed, hashed, and read as a pax archive. What is found wrong is a sentence with
 * the place: the member, and the offset in the decompressed stream.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "stream-error.h"

struct archive_entry;
struct stream_source;

int stream_source_open(int fd, struct stream_error *error, struct stream_source **ret_source);

/*
 * The next member: *ret_entry stays the source's, and is good until the next call. A stream without an end fails here.
 */
int stream_source_next(struct stream_source *source, struct archive_entry **ret_entry);

/*
 * The next piece of its content, and where it belongs; *ret_length 0: there is no more. Always ahead, within its size.
 */
int stream_source_read(struct stream_source *source, const void **ret_data, size_t *ret_length, uint64_t *ret_offset);

/* All of it, for a small member without holes: at most @max bytes, terminated; the caller's. */
int stream_source_read_all(struct stream_source *source, size_t max, char **ret_data, size_t *ret_length);

/* For STREAM_END: is its content what all before was, and nothing behind it? */
int stream_source_end(struct stream_source *source);

/* Refuses the member that was read last. */
int stream_source_refuse(struct stream_source *source, const char *why);

void stream_source_free(struct stream_source **source);
