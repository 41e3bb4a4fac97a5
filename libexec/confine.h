/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Helper programs that unpack what is hostile write nowhere but in the directory that is meant. */
#pragma once

/*
 * From here on this process can write nowhere but in @path: everything else is read-only in a mount
 * namespace of its own. libarchive refuses what would lead out; this holds where it should be mistaken.
 * Returns a descriptor of @path as it is mounted there, or -1 with errno.
 */
int confine_writes_to(const char *path);
