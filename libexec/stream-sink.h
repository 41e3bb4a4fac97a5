/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a stream goes: members as a pax archive, hashed, compressed, to a descriptor. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "stream-error.h"
#include "stream-format.h"

struct archive_entry;
struct stream_sink;

int stream_sink_open(int fd, enum stream_form form, struct stream_error *error, struct stream_sink **ret_sink);

/* Begins a member; the one before must have got all of its data. */
int stream_sink_begin(struct stream_sink *sink, struct archive_entry *entry);

/* Data of the member, from its first byte to its last; holes that the entry tells of are gone over, not written. */
int stream_sink_write(struct stream_sink *sink, const void *data, size_t length);
int stream_sink_pass_hole(struct stream_sink *sink, uint64_t length);

/* A file of root's that is nowhere on disk: stream_sink_begin() for it, and the whole of it. */
int stream_sink_begin_file(struct stream_sink *sink, const char *name, const char *mark, uint64_t length);
int stream_sink_add_file(struct stream_sink *sink, const char *name, const char *mark, const void *data, size_t length);

/* The last member, and the end of the archive. Without it a stream is none. */
int stream_sink_end(struct stream_sink *sink);

void stream_sink_free(struct stream_sink **sink);
