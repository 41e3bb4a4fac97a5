/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file or tree as a pax archive on a descriptor: with owners by number, modes, times, hard links, holes,
 * ACLs, and of the extended attributes user.* and security.capability. Sockets and devices are left out,
 * mount points below are empty directories in it.
 *
 * libarchive needs the working directory: the calling process's is moved to @dir_fd and stays there. No
 * user or group names are looked up and no character set is converted, so that no shared object is loaded:
 * the caller may have entered a tree or a mount namespace that is not trusted.
 */
#pragma once

#include <stddef.h>

/*
 * Writes @path below @dir_fd to @out_fd; in the archive it is called @rename_to (NULL: as it is). 0, or a
 * negative errno with a sentence in @error.
 */
int archive_pack(int out_fd, int dir_fd, const char *path, const char *rename_to, char *error, size_t error_size);
