/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-names.h"

#include <fcntl.h>

#include "util/array.h"

/* So many at a time. A directory of a million is read eight times, which costs less than the files in it. */
enum { AT_ONCE = 131072 };

int stream_names_open(int dir_fd, struct stream_names *ret_names)
{
	*ret_names = (struct stream_names){
		.dir = take_dir(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME)),
		.at_once = AT_ONCE,
		.more = true,
	};
	return ret_names->dir ? 0 : -errno;
}

static int compare(const void *a, const void *b, void *text)
{
	const char *names = text;

	return strcmp(names + *(const size_t *)a, names + *(const size_t *)b);
}

static void sort(struct stream_names *names)
{
	if (names->count)
		qsort_r(names->offsets, names->count, sizeof *names->offsets, compare, names->text.data);
}

/* Keeps those that come first, where there are more than can be kept. */
static int cut(struct stream_names *names)
{
	struct buffer kept = { 0 };

	sort(names);
	if (names->count <= names->at_once)
		return 0;
	for (size_t i = 0; i < names->at_once; i++) {
		const char *name = names->text.data + names->offsets[i];

		names->offsets[i] = kept.length;
		buffer_add(&kept, name, strlen(name) + 1);
	}
	buffer_free(&names->text);
	names->text = kept;
	names->count = names->at_once;
	names->more = true;
	return kept.failed ? -ENOMEM : 0;
}

static int add(struct stream_names *names, const char *name)
{
	size_t *offsets = array_grow(names->offsets, names->count, &names->capacity, sizeof *offsets);

	if (!offsets)
		return -ENOMEM;
	names->offsets = offsets;
	names->offsets[names->count++] = names->text.length;
	buffer_add(&names->text, name, strlen(name) + 1);
	if (names->text.failed)
		return -ENOMEM;
	return names->count < 2 * names->at_once ? 0 : cut(names);
}

/* Is it behind all that can be kept of this reading? Known as soon as there was a cut. */
static bool is_for_later(const struct stream_names *names, const char *name)
{
	return names->more && strcmp(name, names->text.data + names->offsets[names->at_once - 1]) > 0;
}

static int fill(struct stream_names *names)
{
	struct dirent *entry;
	int r = 0;

	rewinddir(names->dir);
	names->count = names->next = names->text.length = 0;
	names->more = false;
	while (r == 0 && (errno = 0, entry = readdir(names->dir))) {
		const char *name = entry->d_name;

		if (text_equal(name, ".") || text_equal(name, "..") ||
		    (names->last && strcmp(name, names->last) <= 0) || is_for_later(names, name))
			continue;
		r = add(names, name);
	}
	if (r == 0 && errno)
		r = -errno;
	return r < 0 ? r : cut(names);
}

int stream_names_next(struct stream_names *names, const char **ret_name)
{
	int r;

	if (names->next == names->count) {
		if (!names->more)
			return 0;
		if (names->count) {
			free(names->last);
			names->last = strdup(names->text.data + names->offsets[names->count - 1]);
			if (!names->last)
				return -ENOMEM;
		}
		r = fill(names);
		if (r < 0 || names->count == 0)
			return r;
	}
	*ret_name = names->text.data + names->offsets[names->next++];
	return 1;
}

void stream_names_close(struct stream_names *names)
{
	cleanup_dir(&names->dir);
	names->dir = NULL;
	buffer_free(&names->text);
	free(names->offsets);
	free(names->last);
}
