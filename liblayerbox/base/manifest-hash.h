/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reading part of manifest_scan(), which several threads share. */
#pragma once

#include "manifest.h"

/*
 * Fills the checksums of all files of a manifest that are not `linked`, by their inodes: what has several names is read
 * once. Stops at the first that cannot be read, with its path in *ret_path, the caller's.
 */
int manifest_hash(int tree_fd, struct manifest *manifest, char **ret_path);
