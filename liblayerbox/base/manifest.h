/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a sealed tree consists of, written down beside it in the file `manifest`: one line for each path, sorted by
 * the bytes of the paths, behind a first line with format, version and the number of lines that follow:
 *
 *     layerbox-manifest 1 4
 *     d 755 0:0 - .
 *     f 4755 0:0 - 71912 f2cc5c17...1adb usr/bin/su
 *     l 777 0:0 - bash usr/bin/rbash
 *     c 666 0:0 - 1:3 dev/null
 *
 * The fields: type (f d l c b p s, as find(1) has them), mode in octal, UID:GID, extended attributes; then size and
 * SHA-256 of a file, target of a link, MAJOR:MINOR of a device; the path. Attributes are - or NAME=VALUE,NAME=VALUE...
 * sorted, the value in hexadecimal digits, or, above 64 bytes, its SHA-256 in parentheses; those of overlayfs itself
 * are left out. In paths, targets and names of attributes, bytes below 0x21, 0x7f and the backslash are a backslash and
 * three octal digits, in names also = and the comma. Times are not in it.
 */
#pragma once

#include "../adapters/digest.h"
#include "../core/context.h"

#define GENERATION_MANIFEST "manifest"

struct manifest_entry {
	const char *path;             /* within the tree, without a slash in front; "" is the tree's own directory */
	const char *target;           /* of a link, else NULL */
	const char *xattrs;           /* as in the line; "-": none */
	uint64_t size;                /* of a file */
	uint64_t inode;               /* in a tree that was scanned, else 0 */
	mode_t mode;                  /* 07777 */
	uid_t uid;
	gid_t gid;
	unsigned major, minor;        /* of a device */
	char type;
	bool linked;                  /* in a tree that was scanned: the same inode as there before */
	uint8_t sha256[DIGEST_SHA256_BYTES]; /* of a file */
};

struct manifest {
	struct manifest_entry *entries; /* sorted by path */
	size_t count, capacity;
	char *text;                   /* what was read, and holds the strings; else each is an allocation */
};

#define CLEANUP_MANIFEST CLEANUP(manifest_free)
void manifest_free(struct manifest *manifest);

/* The entry of a path, or NULL. */
const struct manifest_entry *manifest_find(const struct manifest *manifest, const char *path);

/* Do both say the same? Of content, too. */
bool manifest_entry_equal(const struct manifest_entry *a, const struct manifest_entry *b);

/*
 * Pure: text to manifest and back. manifest_parse() takes @text, which it changes, in every case; -EINVAL with
 * "LINE: what is wrong" in @error. manifest_to_text() returns the caller's text, NULL without memory.
 */
int manifest_parse(char *text, size_t length, struct manifest *ret_manifest, char *error, size_t error_size);
char *manifest_to_text(const struct manifest *manifest, size_t *ret_length);

/*
 * Reads that of the generation in @generation_fd; @what names it in sentences. -LB_ERR_DAMAGED where it is not as it
 * must be, -ENOENT (with a sentence, too) where there is none.
 */
int manifest_read(struct lb_context *ctx, int generation_fd, const char *what, struct manifest *ret_manifest);

/*
 * Looks at every path of a tree, and reads every file, by several threads. Files that are the same inode as at the same
 * path in @previous_tree_fd (-1: none) are not read where @previous has their checksum. Nothing in the tree is trusted.
 */
int manifest_scan(struct lb_context *ctx, int tree_fd, int previous_tree_fd, const struct manifest *previous,
		  struct manifest *ret_manifest);

/*
 * Writes the manifest of @tree_fd, which must be as it will stay, into @generation_fd; the caller syncs the file
 * system. Checksums of files that are links to those of the generation in @previous_generation_fd (-1: none) come from
 * its manifest, so damage to them that happened meanwhile is still found. Without a manifest there, everything is read.
 */
int manifest_write(struct lb_context *ctx, int generation_fd, int tree_fd, int previous_generation_fd);
