/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What packing and unpacking have in common: which attributes are carried, and sentences about failures. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct archive;
struct archive_entry;

/*
 * Keeps user.* and security.capability. trusted.overlay.* would be instructions to the kernel once the tree
 * is a layer, and labels of a security module belong to the host that set them.
 */
void archive_entry_keep_known_xattrs(struct archive_entry *entry);

/* "WHAT NAME: CAUSE" into @error; @where (NULL: out of memory) has the cause. Returns a negative errno. */
int archive_sentence(struct archive *where, const char *what, const char *name, char *error, size_t error_size);

/*
 * Does its name fit into a plain header? libarchive, up to 3.8 at least, takes something else for GNU.sparse.name where
 * it does not: the name of a file with holes is garbled.
 */
bool archive_entry_has_plain_name(struct archive_entry *entry);
