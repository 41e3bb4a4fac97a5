/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files with several names: under which one each was met first. A table that grows; all of one file system. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct oci_links {
	struct oci_link {
		uint64_t inode;       /* 0: free */
		char *path;
	} *slots;
	size_t count, capacity;
};

/*
 * *ret_first: the name under which @inode was met first, or NULL where that is now; then @path is kept for it.
 * 0 or -ENOMEM.
 */
int oci_links_find(struct oci_links *links, uint64_t inode, const char *path, const char **ret_first);
void oci_links_free(struct oci_links *links);
