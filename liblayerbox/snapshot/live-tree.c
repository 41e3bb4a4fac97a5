/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes are cut from large pieces of memory and stay until the copy ends: those of what is gone, too. */
#include "../util/text.h"
#include "live-private.h"

enum { PIECE_BYTES = 256 * 1024 };

static void *cut(struct live_copy *copy, size_t size)
{
	size_t rounded = (size + 7) & ~(size_t)7;
	void **piece;
	char *memory;

	if (copy->memory_left < rounded) {
		piece = malloc(PIECE_BYTES);
		if (!piece)
			return NULL;
		*piece = copy->memories;
		copy->memories = piece;
		copy->memory = (char *)piece + 2 * sizeof(void *);
		copy->memory_left = PIECE_BYTES - 2 * sizeof(void *);
	}
	memory = copy->memory;
	copy->memory += rounded;
	copy->memory_left -= rounded;
	return memset(memory, 0, size);
}

struct live_node *live_node_new(struct live_copy *copy, struct live_node *parent, const char *name)
{
	size_t length = strlen(name) + 1;
	struct live_node *node;

	pthread_mutex_lock(&copy->mutex);
	node = cut(copy, sizeof *node + length);
	pthread_mutex_unlock(&copy->mutex);
	if (!node)
		return NULL;
	node->parent = parent;
	memcpy(node->name, name, length);
	return node;
}

struct live_directory *live_directory_new(struct live_copy *copy)
{
	struct live_directory *directory;

	pthread_mutex_lock(&copy->mutex);
	directory = cut(copy, sizeof *directory);
	if (directory) {
		directory->previous = LIVE_NONE;
		directory->next = copy->directories;
		copy->directories = directory;
	}
	pthread_mutex_unlock(&copy->mutex);
	return directory;
}

bool live_node_path(const struct live_node *node, char path[PATH_MAX])
{
	size_t length = 0, at;

	if (!node->parent)
		return text_copy(path, PATH_MAX, ".");
	for (const struct live_node *n = node; n->parent; n = n->parent)
		length += strlen(n->name) + 1; /* and what stands behind it */
	if (length > PATH_MAX)
		return false;
	at = length - 1;
	path[at] = '\0';
	for (const struct live_node *n = node; n->parent; n = n->parent) {
		size_t part = strlen(n->name);

		at -= part;
		memcpy(path + at, n->name, part);
		if (at > 0)
			path[--at] = '/';
	}
	return true;
}

bool live_node_is_there(const struct live_node *node)
{
	for (; node; node = node->parent)
		if (node->gone)
			return false;
	return true;
}

void live_tree_free(struct live_copy *copy)
{
	for (struct live_directory *directory = copy->directories; directory; directory = directory->next) {
		free(directory->children);
		free(directory->xattrs);
	}
	while (copy->memories) {
		void **piece = copy->memories;

		copy->memories = *piece;
		free(piece);
	}
}
