/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "id-map.h"

#include "../util/file.h"
#include "../util/keyfile.h"

enum { MAP_BYTES_MAX = 64 * 1024 };

static const char *on_key(const char *key, const char *value, void *userdata)
{
	if (!layer_id_is_valid(key) || !layer_id_is_valid(value))
		return "must be identifiers of layers";
	id_map_add(userdata, key, value);
	return NULL;
}

int id_map_read(struct lb_context *ctx, int container_fd, const char *name, struct id_map *map)
{
	CLEANUP_FREE char *text = NULL;
	char error[256];
	int r = file_read(container_fd, ID_MAP_FILE, MAP_BYTES_MAX, &text, NULL);

	map->count = 0;
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail_errno(ctx, r, "cannot read containers/%s/" ID_MAP_FILE, name);
	if (keyfile_parse(text, ID_MAP_FILE, on_key, map, error, sizeof error) < 0)
		return fail(ctx, -LB_ERR_BAD_CONFIG, "containers/%s/%s", name, error);
	return 0;
}

char *id_map_to_text(const struct id_map *map)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	buffer_add_text(&text, "");
	for (size_t i = 0; i < map->count; i++)
		buffer_format(&text, "%s = %s\n", map->pairs[i].theirs, map->pairs[i].ours);
	return buffer_finish(&text);
}

const char *id_map_find(const struct id_map *map, const char *theirs)
{
	for (size_t i = map->count; i-- > 0;)
		if (text_equal(map->pairs[i].theirs, theirs))
			return map->pairs[i].ours;
	return theirs;
}

void id_map_add(struct id_map *map, const char *theirs, const char *ours)
{
	if (map->count == ID_MAP_MAX)
		memmove(&map->pairs[0], &map->pairs[1], --map->count * sizeof map->pairs[0]);
	text_copy(map->pairs[map->count].theirs, LAYER_ID_SIZE, theirs);
	text_copy(map->pairs[map->count++].ours, LAYER_ID_SIZE, ours);
}
