/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A block of lines in the host's /etc/hosts, between two marker lines that name a root:
 *
 *     # BEGIN layerbox /var/lib/layerbox: rendered, do not edit
 *     10.0.3.20	tiger tiger.lxc
 *     # END layerbox /var/lib/layerbox
 *
 * Blocks of several roots stand side by side. The file is the operator's: no byte outside the block is ever
 * changed, and nothing is changed at all where it is not certain what is the block's.
 */
#pragma once

#include "../core/context.h"

#define HOSTS_FILE "/etc/hosts"

struct hosts_entry {
	const char *address;
	const char *names[2];         /* either may be NULL */
};

struct hosts_block {
	const char *root;
	const struct hosts_entry *entries;
	size_t count;                 /* 0: there is to be no block */
};

/*
 * The text of a hosts file with the block put in, replaced or taken out. A name that the operator's own lines
 * have, in whatever case, is left out of the block: theirs is what it means on this host. -EINVAL with a sentence
 * "FILE:LINE: ..." in @error where a block is damaged.
 */
int hosts_file_merge(const char *text, size_t length, const char *file, const struct hosts_block *block,
		     char **ret_text, size_t *ret_length, char *error, size_t error_size);

/* Is the block in @path as it should be? 1 or 0. */
int hosts_file_has(struct lb_context *ctx, const char *path, const struct hosts_block *block);

/*
 * Makes it so, by a new file in the old one's place that has its mode, owner and attributes; 1 where nothing was to
 * do. The caller holds a lock that every other caller for this file takes; an editor that saves the file meanwhile
 * loses nothing.
 */
int hosts_file_put(struct lb_context *ctx, const char *path, const struct hosts_block *block);
