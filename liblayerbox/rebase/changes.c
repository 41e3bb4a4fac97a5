/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "changes.h"

#include "../util/array.h"
#include "../util/text.h"

static struct change *add(struct changes *changes, enum change_kind kind, const char *path)
{
	struct change *items = array_grow(changes->items, changes->count, &changes->capacity, sizeof *items), *change;

	if (!items) {
		changes->failed = true;
		return NULL;
	}
	changes->items = items;
	change = &changes->items[changes->count++];
	*change = (struct change){ .kind = kind, .path = strdup(path) };
	changes->failed = changes->failed || !change->path;
	return change;
}

static void set_like(struct change *change, const struct stat *like)
{
	change->has_like = like;
	if (like)
		change->like = *like;
}

void changes_add(struct changes *changes, enum change_kind kind, const char *path)
{
	add(changes, kind, path);
}

void changes_add_copy(struct changes *changes, enum change_kind kind, const char *path, const char *source,
		      const struct stat *like)
{
	struct change *change = add(changes, kind, path);

	if (!change)
		return;
	set_like(change, like);
	change->source = strdup(source);
	changes->failed = changes->failed || !change->source;
}

void changes_add_data(struct changes *changes, const char *path, char *data, size_t length, const struct stat *like)
{
	struct change *change = add(changes, CHANGE_DATA, path);

	if (!change) {
		free(data);
		return;
	}
	set_like(change, like);
	change->data = data;
	change->length = length;
}

void changes_add_attributes(struct changes *changes, const char *path, const struct stat *like)
{
	struct change *change = add(changes, CHANGE_ATTRIBUTES, path);

	if (change)
		set_like(change, like);
}

void changes_cut(struct changes *changes, size_t count)
{
	while (changes->count > count) {
		struct change *change = &changes->items[--changes->count];

		free(change->path);
		free(change->source);
		free(change->data);
	}
}

void changes_free(struct changes *changes)
{
	changes_cut(changes, 0);
	free(changes->items);
	*changes = (struct changes){ 0 };
}
