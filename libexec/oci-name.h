/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names in a layer of an OCI image: which of them say that something is deleted. Pure functions; the rules are those of
 * layer.md of the image specification. Nothing is trusted.
 */
#pragma once

#define OCI_WHITEOUT_PREFIX ".wh."
#define OCI_OPAQUE ".wh..wh..opq"

enum oci_name_kind {
	OCI_NAME_ENTRY,               /* a file, directory, link ... */
	OCI_NAME_WHITEOUT,            /* says that @rest in @directory is deleted */
	OCI_NAME_OPAQUE,              /* says that all that lower layers have in @directory is */
};

struct oci_name {
	enum oci_name_kind kind;
	char *path;                   /* relative, without "." and empty components; "" is the root */
	char *directory;              /* of a whiteout or mark: the directory it is in, likewise */
	const char *rest;             /* of a whiteout: what is deleted, a single component */
};

/*
 * Reads the name of an entry. NULL, or why it is refused: it is absolute, leads out, or is a whiteout of something that
 * cannot be deleted. Either way oci_name_free() it.
 */
const char *oci_name_read(const char *name, struct oci_name *ret_name);
void oci_name_free(struct oci_name *name);
