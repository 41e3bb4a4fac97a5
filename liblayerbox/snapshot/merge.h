/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Several layers made one, which shows over any base what they showed. Whiteouts stay, since the base may have the
 * name; a directory is opaque where one of them was, or where it stands in the place of a whiteout or of a file of a
 * lower one; hard links stay. In opaque directories no whiteout is left, and elsewhere a directory with whiteouts has
 * an empty trusted.overlay.origin: in a directory of one layer alone the kernel would list them, and never delete it.
 * Nothing in them is trusted: whiteouts that are attributes of files are -LB_ERR_DAMAGED. The rules:
 * docs/snapshots.md.
 */
#pragma once

#include "../core/context.h"

struct merge_layer {
	int fd;                       /* its tree; of a descriptor opened for reading */
	bool copy;                    /* copy its files instead of linking to them; */
	bool copy_shared;             /* or those that have several names, since some may be other layers' */
};

/*
 * @layers: topmost first. @out_fd: an empty directory on the same file system, which gets owner, mode, attributes and
 * times of the topmost tree. Who will write to the result sets @copy for layers that others need, and @copy_shared for
 * those that may be farms or have files in common with farms. Names of one file in one layer stay that. Where a file
 * has as many links as the file system allows, it is copied. What a failure leaves is the caller's to remove.
 */
int layers_merge(struct lb_context *ctx, const struct merge_layer *layers, size_t count, int out_fd);
