/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Layers of an image, laid one over the other into a directory. Each is read twice: first for what it takes away from
 * those below it, wherever in the archive that stands, then for what it brings. Entries that would lead out, or that
 * lie behind a symbolic link, are refused, as is what cannot be restored as the archive has it; devices and sockets
 * are left out. What was there before a failure stays: the caller removes it.
 *
 * libarchive needs the working directory: the calling process's is moved to @tree_fd and stays there.
 */
#pragma once

#include "oci-layer.h"

/* Of all layers of an image, as of a stream: what is refused before it has taken all inodes and all memory. */
enum { OCI_ENTRIES_MAX = 50000000 };

/*
 * One layer over what is there. @id_max: the highest uid and gid. @entries_left: how many entries there may be, at
 * first OCI_ENTRIES_MAX; what the layer had is taken from it.
 */
int oci_layer_apply(const struct oci_layout *layout, const struct oci_layer *layer, enum oci_compression compression,
		    uint32_t id_max, int tree_fd, uint64_t *entries_left);
