/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-links.h"

#include <errno.h>
#include <stdlib.h>

#include "util/array.h"

int stream_links_note(struct stream_links *links, uint64_t inode, bool differs)
{
	struct stream_link_name *names =
		array_grow(links->names, links->name_count, &links->name_capacity, sizeof *names);

	if (!names)
		return -ENOMEM;
	links->names = names;
	links->names[links->name_count++] = (struct stream_link_name){ inode, differs };
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	uint64_t x = ((const struct stream_link_name *)a)->inode, y = ((const struct stream_link_name *)b)->inode;

	return x < y ? -1 : x > y;
}

/* The names of one inode, which stand beside one another. */
static size_t count_of(const struct stream_links *links, size_t first, bool *ret_differs)
{
	size_t n = 0;

	*ret_differs = false;
	while (first + n < links->name_count && links->names[first + n].inode == links->names[first].inode)
		*ret_differs |= links->names[first + n++].differs;
	return n;
}

static size_t settle(const struct stream_links *links, struct stream_link *ret_links)
{
	size_t count = 0, n;
	bool differs;

	for (size_t i = 0; i < links->name_count; i += n) {
		n = count_of(links, i, &differs);
		if (n < 2)
			continue;
		if (ret_links)
			ret_links[count] = (struct stream_link){ .inode = links->names[i].inode, .differs = differs };
		count++;
	}
	return count;
}

int stream_links_settle(struct stream_links *links)
{
	if (links->name_count)
		qsort(links->names, links->name_count, sizeof *links->names, compare_names);
	links->count = settle(links, NULL);
	if (links->count) {
		links->links = calloc(links->count, sizeof *links->links);
		if (!links->links)
			return -ENOMEM;
		settle(links, links->links);
	}
	free(links->names);
	links->names = NULL;
	links->name_count = links->name_capacity = 0;
	return 0;
}

struct stream_link *stream_links_find(const struct stream_links *links, uint64_t inode)
{
	size_t low = 0, high = links->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (links->links[middle].inode == inode)
			return &links->links[middle];
		if (links->links[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

void stream_links_free(struct stream_links *links)
{
	for (size_t i = 0; i < links->count; i++)
		free(links->links[i].name);
	free(links->links);
	free(links->names);
	*links = (struct stream_links){ 0 };
}
