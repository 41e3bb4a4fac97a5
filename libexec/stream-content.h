/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file's content on its way into a stream: only where there is any. */
#pragma once

#include <stdint.h>

#include "stream-error.h"

struct archive_entry;
struct stream_sink;

/* Tells the entry, whose name and size are set, of the holes of the file. */
int stream_content_find_holes(int fd, struct archive_entry *entry, struct stream_error *error);

/* Sends what the entry says, behind its header. @buffer: of STREAM_BUFFER bytes. */
int stream_content_send(int fd, struct archive_entry *entry, struct stream_sink *sink, char *buffer,
			struct stream_error *error);

enum { STREAM_BUFFER = 256 * 1024 };
