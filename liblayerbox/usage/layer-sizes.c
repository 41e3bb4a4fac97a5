/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layer-sizes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "../adapters/rights.h"
#include "../container/layout.h"
#include "../container/record.h"
#include "../core/entry-cache.h"
#include "../core/store.h"
#include "../util/clock.h"
#include "../util/tree.h"

#define DIRECTORY RUNSTATEDIR "/layerbox/layer-sizes"

enum { LASTS_S = 60 * 60 };

int layer_sizes_load(struct lb_context *ctx, struct layer_sizes *ret_sizes)
{
	struct layer_sizes sizes = { .containers_fd = store_open_directory(ctx, STORE_CONTAINERS) };

	if (sizes.containers_fd < 0)
		return sizes.containers_fd;
	sizes.path = entry_cache_path(DIRECTORY, sizes.containers_fd);
	if (sizes.path)
		sizes.items = entry_cache_load(sizes.path, sizeof *sizes.items, &sizes.count);
	*ret_sizes = sizes;
	return 0;
}

void layer_sizes_free(struct layer_sizes *sizes)
{
	close_fd(sizes->containers_fd);
	free(sizes->path);
	free(sizes->items);
	*sizes = (struct layer_sizes){ .containers_fd = -1 };
}

static int compare_name(const void *name, const void *item)
{
	return strcmp(name, ((const struct layer_size *)item)->name);
}

/* Which directory the container's top layer is; 0 where there is none. */
static uint64_t top_layer_of(int containers_fd, const char *name)
{
	char path[NAME_LENGTH_MAX + sizeof "/" LAYOUT_TOP];
	struct stat st;

	snprintf(path, sizeof path, "%s/" LAYOUT_TOP, name);
	return fstatat(containers_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_ino : 0;
}

static const struct layer_size *find(const struct layer_sizes *sizes, const char *name, uint64_t inode)
{
	const struct layer_size *found =
		sizes->count ? bsearch(name, sizes->items, sizes->count, sizeof *sizes->items, compare_name) : NULL;

	return found && inode && found->inode == inode ? found : NULL;
}

const struct layer_size *layer_sizes_find(const struct layer_sizes *sizes, const char *name)
{
	const struct layer_size *found = find(sizes, name, top_layer_of(sizes->containers_fd, name));

	return found && found->measured ? found : NULL;
}

/* ---- measuring ---- */

static int by_age(const void *a, const void *b)
{
	const struct layer_size *const *x = a, *const *y = b;

	return ((*x)->tried > (*y)->tried) - ((*x)->tried < (*y)->tried);
}

/* One that cannot be measured is as it was, and waits for its next turn as others do: it holds nobody up. */
static void measure(int containers_fd, struct layer_size *size)
{
	CLEANUP_FD int fd = openat(containers_fd, size->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	uint64_t bytes;

	if (fd < 0 || tree_disk_usage(fd, LAYOUT_TOP, &bytes) < 0)
		return;
	size->bytes = bytes;
	size->measured = (int64_t)time(NULL);
}

/* What is known of each container, by name, unknown ones as tried at the beginning of time. */
static struct layer_size *list_all(const struct layer_sizes *sizes, const struct text_list *names)
{
	struct layer_size *items = calloc(names->count + 1, sizeof *items);

	for (size_t i = 0; items && i < names->count; i++) {
		uint64_t inode = top_layer_of(sizes->containers_fd, names->items[i]);
		const struct layer_size *known = find(sizes, names->items[i], inode);

		if (known)
			items[i] = *known;
		text_copy(items[i].name, sizeof items[i].name, names->items[i]);
		items[i].inode = inode;
	}
	return items;
}

/* Those that are due, oldest first; the array is the caller's. */
static struct layer_size **list_due(struct layer_size *items, size_t count, size_t *ret_due)
{
	struct layer_size **due = calloc(count + 1, sizeof *due);
	int64_t now = (int64_t)time(NULL);
	size_t n = 0;

	for (size_t i = 0; due && i < count; i++)
		if (items[i].inode && (items[i].tried + LASTS_S <= now || items[i].tried > now))
			due[n++] = items + i;
	if (n > 1)
		qsort(due, n, sizeof *due, by_age);
	*ret_due = n;
	return due;
}

int lb_usage_measure(struct lb_context *ctx, unsigned seconds)
{
	CLEANUP(layer_sizes_free) struct layer_sizes sizes = { .containers_fd = -1 };
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FREE struct layer_size *items = NULL;
	CLEANUP_FREE struct layer_size **due = NULL;
	const int64_t end_ms = clock_ms() + (int64_t)seconds * 1000;
	size_t count = 0;
	int r = rights_require_root(ctx);

	if (r == 0)
		r = record_list_names(ctx, &names);
	if (r == 0)
		r = layer_sizes_load(ctx, &sizes);
	if (r < 0)
		return r;
	items = list_all(&sizes, &names);
	due = items ? list_due(items, names.count, &count) : NULL;
	if (!due)
		return fail_memory(ctx);
	/* That one is tried is written down before: it may take hours, or more memory than there is, and others wait. */
	for (size_t i = 0; i < count && clock_ms() < end_ms; i++) {
		due[i]->tried = (int64_t)time(NULL);
		entry_cache_save(DIRECTORY, sizes.path, items, sizeof *items, names.count);
		measure(sizes.containers_fd, due[i]);
	}
	if (count)
		entry_cache_save(DIRECTORY, sizes.path, items, sizeof *items, names.count);
	return count ? 0 : 1;
}
