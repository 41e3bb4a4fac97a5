/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A directory in the form of an OCI image layout: oci-layout, index.json and blobs/sha256/DIGEST. Blobs are written
 * under a hidden name, hashed meanwhile, and on disk before they have their own. What is read is not trusted.
 */
#pragma once

#include <stdint.h>

#include "oci-error.h"

#define OCI_LAYOUT_FILE "oci-layout"
#define OCI_INDEX_FILE "index.json"

enum { OCI_DIGEST_SIZE = sizeof "sha256:" + 64, OCI_TEXT_MAX = 4 << 20 };

struct oci_layout {
	const char *path;             /* for sentences */
	int fd;                       /* of one that was made: with a flock(2) */
	int blobs_fd;
	struct oci_error *error;
};

#define OCI_LAYOUT_EMPTY { .fd = -1, .blobs_fd = -1 }
#define CLEANUP_OCI_LAYOUT CLEANUP(oci_layout_close)

/* Opens one for reading. */
int oci_layout_open(const char *path, struct oci_error *error, struct oci_layout *ret_layout);

/*
 * Opens one for writing, and makes it where there is none; waits as long as others write to it. What a killed writer
 * left is removed.
 */
int oci_layout_make(const char *path, struct oci_error *error, struct oci_layout *ret_layout);
void oci_layout_close(struct oci_layout *layout);

/* Brings all names to disk, then puts @text in the place of index.json. */
int oci_layout_write_index(const struct oci_layout *layout, const char *text);

/* What names a blob and says how long it is. */
struct oci_descriptor {
	char digest[OCI_DIGEST_SIZE]; /* sha256:... */
	uint64_t size;
};

/* Is it "sha256:" and 64 lower-case hexadecimal digits? */
bool oci_digest_is_valid(const char *text);
void oci_digest_format(const uint8_t *bytes, char ret_text[OCI_DIGEST_SIZE]);

/* A blob that is being written. */
struct oci_blob {
	const struct oci_layout *layout;
	char name[64];                /* while it is hidden */
	int fd;
	struct digest *digest;
	uint64_t size;
};

#define OCI_BLOB_EMPTY { .fd = -1 }
#define CLEANUP_OCI_BLOB CLEANUP(oci_blob_end)

int oci_blob_begin(const struct oci_layout *layout, struct oci_blob *ret_blob);

/* 0, or a negative errno without a sentence. */
int oci_blob_add(struct oci_blob *blob, const void *data, size_t length);
int oci_blob_finish(struct oci_blob *blob, struct oci_descriptor *ret_descriptor);

/* Removes what was not finished; allowed at any time. */
void oci_blob_end(struct oci_blob *blob);

/* All at once. */
int oci_blob_write(const struct oci_layout *layout, const char *text, struct oci_descriptor *ret_descriptor);

/* Opens a blob that has the right size. -ENOENT where it is not there, OCI_BAD_IMAGE. */
int oci_blob_open(const struct oci_layout *layout, const struct oci_descriptor *descriptor);

/* Reads a text of at most OCI_TEXT_MAX bytes, and its digest is right; the caller's. */
int oci_blob_read(const struct oci_layout *layout, const struct oci_descriptor *descriptor, char **ret_text);

/* Reads all of a blob: is it there, and is its digest right? */
bool oci_blob_is_good(const struct oci_layout *layout, const struct oci_descriptor *descriptor);
