/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One layer of an image as a blob: written from a tree, or read and laid over one. */
#pragma once

#include "oci-layout.h"

struct oci_layer {
	struct oci_descriptor blob;
	char diff_id[OCI_DIGEST_SIZE]; /* of the archive when it is not compressed */
};

/* Writes @tree_fd as a layer, compressed by gzip. @below_fd: as for oci_tar_write(). */
int oci_layer_write(const struct oci_layout *layout, int tree_fd, int below_fd, struct oci_layer *ret_layer);

enum oci_compression { OCI_PLAIN, OCI_GZIP, OCI_ZSTD };

/* Reads a layer from its first byte to its last, and sees that both digests are right. */
struct oci_layer_reader {
	const struct oci_layout *layout;
	const struct oci_layer *layer;
	int fd;
	uint64_t read;
	bool is_at_end;               /* of what is not compressed */
	struct digest *digest, *diff;
	struct archive *raw;          /* decompresses */
	struct archive *tar;          /* what the caller reads entries from */
	char *block, *plain;
};

#define OCI_LAYER_READER_EMPTY { .fd = -1 }
#define CLEANUP_OCI_LAYER_READER CLEANUP(oci_layer_reader_end)

/* @reader must stay where it is. */
int oci_layer_reader_begin(const struct oci_layout *layout, const struct oci_layer *layer,
			   enum oci_compression compression, struct oci_layer_reader *reader);

/* Behind the last entry: reads what is left, and checks. */
int oci_layer_reader_finish(struct oci_layer_reader *reader);
void oci_layer_reader_end(struct oci_layer_reader *reader);
