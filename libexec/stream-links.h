/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hard links of a tree. Files of layers have names in other layers, too, so the number of links says little: a first
 * walk notes every name of what has several, and what is left are files with several names in this tree.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream_link {
	uint64_t inode;
	char *name;                   /* under which it was sent; NULL: not yet */
	bool differs;                 /* one of its names does */
};

struct stream_links {
	struct stream_link_name {
		uint64_t inode;
		bool differs;
	} *names;                     /* of the first walk */
	size_t name_count, name_capacity;
	struct stream_link *links;    /* by inode */
	size_t count;
};

/* In the first walk, for each name. 0 or -ENOMEM. */
int stream_links_note(struct stream_links *links, uint64_t inode, bool differs);

/* Behind the first walk. */
int stream_links_settle(struct stream_links *links);

/* NULL for what has one name here. */
struct stream_link *stream_links_find(const struct stream_links *links, uint64_t inode);

void stream_links_free(struct stream_links *links);
