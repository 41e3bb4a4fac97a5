/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a generation of a base says of itself, and how the generations of a base are found. */
#pragma once

#include "base.h"

#define GENERATION_FILE "generation.conf"
#define GENERATION_TREE "rootfs"
#define GENERATION_OCI_LAYER "oci-layer"        /* what it is as a layer of an image: digest, size, digest of the archive */

/*
 * Reads the record in @directory_fd, the directory of generation @generation of base @name.
 * -LB_ERR_BAD_CONFIG with file:line, -LB_ERR_DAMAGED where it is missing.
 */
int generation_read(struct lb_context *ctx, int directory_fd, const char *name, unsigned generation,
		    struct generation_record *ret_record);

/* The file's text; the caller's, NULL without memory. */
char *generation_to_text(const struct generation_record *record);

void generation_record_free(struct generation_record *record);

/* The highest number among the directories in @base_fd; -ENOENT where there is none. */
int generation_find_newest(int base_fd, unsigned *ret_generation);

/* All of them, in ascending order; the caller's array. */
int generation_list(int base_fd, unsigned **ret_generations, size_t *ret_count);

/* Fills os, bytes and created from a finished tree. Nothing in the tree is trusted. */
int generation_describe(struct lb_context *ctx, int tree_fd, struct generation_record *record);
