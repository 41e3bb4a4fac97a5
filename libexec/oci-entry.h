/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Single entries of a layer's archive, from files of a tree: each with what is the same at every export, and no more.
 */
#pragma once

#include <sys/stat.h>

#include "oci-error.h"
#include "oci-links.h"

struct oci_entry_writer {
	struct archive *out;
	struct archive_entry *entry;
	struct oci_links links;
	char *names, *value, *block;
	struct oci_error *error;
};

/* 0 or -ENOMEM. oci_entry_writer_end() it in any case. */
int oci_entry_writer_begin(struct archive *out, struct oci_error *error, struct oci_entry_writer *ret_writer);
void oci_entry_writer_end(struct oci_entry_writer *writer);

/* Writes what @name of @dir_fd is, and @st says, as @path; "" is the tree itself. */
int oci_entry_write(struct oci_entry_writer *writer, int dir_fd, const char *name, const char *path,
		    const struct stat *st);

/* Writes an empty file that stands for something else. */
int oci_entry_write_mark(struct oci_entry_writer *writer, const char *path);

/* "cannot WHAT /PATH: ..." */
int oci_fail_path(struct oci_error *error, int code, const char *what, const char *path);
