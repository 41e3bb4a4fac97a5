/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extended attributes in layers of images: user.*, security.capability and access control lists are carried. */
#pragma once

#include <stdbool.h>

struct archive_entry;

/* Is it one of those that are carried? */
bool oci_attribute_is_known(const char *name);

/*
 * Keeps these alone, and gives libarchive the access control lists in its own form: as attributes it would not write
 * them. False where a list is none, or there is no memory.
 */
bool oci_attributes_keep_known(struct archive_entry *entry);

/* Takes all of these from what is there; a link has none. 0, or a negative errno. */
int oci_attributes_clear(int dir_fd, const char *name);
