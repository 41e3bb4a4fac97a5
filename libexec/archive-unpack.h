/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An archive from a descriptor into a directory. Entries with absolute names, with `..`, or that lie behind
 * a symbolic link are refused, as is whatever cannot be restored as the archive has it; devices and sockets
 * are left out. What was unpacked before a failure stays: the caller removes it.
 *
 * A file that is there already is replaced, a link never written through.
 *
 * libarchive needs the working directory: the calling process's is moved to @dir_fd and stays there. Unless
 * any_format is set, only tar archives as archive_pack() writes them are read, nothing is looked up or
 * converted and no shared object loaded: the caller may have entered a tree that is not trusted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct archive_unpack_options {
	bool any_format;              /* any format and compression libarchive can read */
	bool keep_owners;             /* else all belongs to uid and gid 0, without setuid bits and attributes */
	uint32_t id_max;              /* with keep_owners, the highest uid and gid; 0: any */
};

/* 0, or a negative errno with a sentence in @error. */
int archive_unpack(int in_fd, int dir_fd, const struct archive_unpack_options *options, char *error,
		   size_t error_size);
