/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One entry of a manifest, from what there is in a tree. */
#pragma once

#include <sys/stat.h>

#include "manifest.h"

/* Room for extended attributes, which may be large, for as many entries as one likes. Zero-initialise. */
struct manifest_reader {
	char *names, *value;
};

#define CLEANUP_MANIFEST_READER CLEANUP(manifest_reader_end)
int manifest_reader_begin(struct manifest_reader *reader); /* 0, or -ENOMEM */
void manifest_reader_end(struct manifest_reader *reader);

/*
 * Fills everything but path and checksum for @name of a directory, which @st was read of. Nothing is followed or
 * opened. What a failure leaves in @entry is as good for manifest_entry_free() as anything else.
 */
int manifest_entry_read(struct manifest_reader *reader, int dir_fd, const char *name, const struct stat *st,
			struct manifest_entry *entry);

/* Frees the strings of an entry that belongs to no manifest. */
#define CLEANUP_MANIFEST_ENTRY CLEANUP(manifest_entry_free)
void manifest_entry_free(struct manifest_entry *entry);
