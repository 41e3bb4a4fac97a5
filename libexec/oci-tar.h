/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree as the tar archive of an image's layer: sorted, owners by number, times as they are and no others, so that the
 * same tree gives the same bytes. Whiteouts and opaque marks of overlayfs become those of the image specification,
 * and stand before what is beside them; overlayfs's attributes and sockets are left out; holes are written as zeros.
 *
 * Nobody may write to the tree meanwhile, but nothing in it is trusted.
 */
#pragma once

#include "oci-error.h"

/*
 * Writes it to @out, a tar writer that is open and stays so. @below_fd: the tree of the layer below it, -1 for none:
 * what is not there needs no whiteout.
 */
int oci_tar_write(int tree_fd, int below_fd, struct archive *out, struct oci_error *error);

/* A writer that gives the archive's bytes to @fn, which returns 0 or a negative errno. NULL without memory. */
typedef int (*oci_tar_fn)(const void *data, size_t length, void *userdata);
struct oci_tar_sink {
	oci_tar_fn fn;
	void *userdata;
};
struct archive *oci_tar_open(struct oci_tar_sink *sink);
