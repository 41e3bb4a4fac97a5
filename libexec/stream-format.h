/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What writer and reader of streams agree upon; docs/streams.md says it to others. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/digest.h"

#define STREAM_HEADER "layerbox-stream"
#define STREAM_END "layerbox-end"
#define STREAM_GONE ".layerbox-gone"
#define STREAM_PADDING "layerbox-padding"

/* Marks on members that no file can have: no kernel knows attributes of such names. */
#define STREAM_MARK_GONE "layerbox.gone"        /* a list of names that went, no file */
#define STREAM_MARK_SOCKET "layerbox.socket"    /* a fifo that is a socket */
#define STREAM_MARK_NAME "layerbox.name"        /* what the member is called, instead of its own name */

/*
 * A file with holes is sent under this name where its own is none that libarchive can write then: see archive-entry.h.
 */
#define STREAM_PLACEHOLDER "layerbox-file-with-holes"

enum {
	STREAM_DEPTH_MAX = 1000,        /* directories below one another: each costs a descriptor */
	STREAM_PATH_MAX = 32 * 1024,    /* bytes of a member's name */
	STREAM_GONE_MAX = 1 << 20,      /* bytes of one list of what went */
	STREAM_XATTRS_MAX = 768 * 1024, /* bytes of all attributes of one entry, as they are written */
	STREAM_EXTENTS_MAX = 32768,     /* pieces of a file with holes */
	STREAM_BLOCK = 512,             /* of a tar archive */
	STREAM_END_TEXT_MAX = 256,
	STREAM_PADDING_BYTES = 640 * 1024, /* see stream-pack.c */
	STREAM_MASK = 0xa5,             /* each byte of a stream that is not compressed is changed by it: see stream-mask.h */
};

/* How a stream is written. */
enum stream_form {
	STREAM_COMPRESSED,
	STREAM_PLAIN,
	STREAM_MASKED,                /* for who compresses it: see stream-mask.h and stream-pack.c */
};

/* Which extended attributes are carried. */
enum stream_xattr {
	STREAM_XATTR_LEFT_OUT,        /* never carried, and refused by the reader */
	STREAM_XATTR_PRIVILEGED,      /* of a privileged container only */
	STREAM_XATTR_CARRIED,
};

enum stream_xattr stream_xattr_rule(const char *name, const void *value, size_t size);

/* Without its value: may it be one that is carried? */
bool stream_xattr_is_ours(const char *name);

/*
 * Relative, of components that lead nowhere else: none empty, "." or "..", none longer than a file system has them; one
 * slash may stand at the end.
 */
bool stream_path_is_safe(const char *path);

/* The content of the last member, STREAM_END. Returns its length, which is the same whatever it says. */
size_t stream_end_text(uint64_t members, uint64_t bytes, const uint8_t digest[DIGEST_SHA256_BYTES],
		       char ret_text[STREAM_END_TEXT_MAX]);
