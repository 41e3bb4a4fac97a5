/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci-links.h"

#include "util/text.h"

enum { FIRST_CAPACITY = 1024 };

/* The slot that has @inode, or the free one where it belongs; there always is one. */
static struct oci_link *slot_of(const struct oci_links *links, uint64_t inode)
{
	size_t at = (size_t)(inode * 0x9e3779b97f4a7c15u >> 32) & (links->capacity - 1);

	while (links->slots[at].inode && links->slots[at].inode != inode)
		at = (at + 1) & (links->capacity - 1);
	return &links->slots[at];
}

/* At most half of it is in use. */
static int grow(struct oci_links *links)
{
	struct oci_links larger = { .count = links->count, .capacity = 2 * links->capacity };

	if (2 * links->count < links->capacity)
		return 0;
	if (larger.capacity == 0)
		larger.capacity = FIRST_CAPACITY;
	larger.slots = calloc(larger.capacity, sizeof *larger.slots);
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < links->capacity; i++)
		if (links->slots[i].inode)
			*slot_of(&larger, links->slots[i].inode) = links->slots[i];
	free(links->slots);
	*links = larger;
	return 0;
}

int oci_links_find(struct oci_links *links, uint64_t inode, const char *path, const char **ret_first)
{
	struct oci_link *slot;

	if (grow(links) < 0)
		return -ENOMEM;
	slot = slot_of(links, inode);
	if (slot->inode) {
		*ret_first = slot->path;
		return 0;
	}
	slot->path = strdup(path);
	if (!slot->path)
		return -ENOMEM;
	slot->inode = inode;
	links->count++;
	*ret_first = NULL;
	return 0;
}

void oci_links_free(struct oci_links *links)
{
	for (size_t i = 0; i < links->capacity; i++)
		free(links->slots[i].path);
	free(links->slots);
	*links = (struct oci_links){ 0 };
}
