/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "entry-cache.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "../util/file.h"
#include "../util/text.h"
#include "../util/tree.h"

enum { CACHE_BYTES_MAX = 64 << 20 };

/* What the file begins with. */
struct header {
	char magic[24];
	uint64_t entry_size;
};

static struct header header_of(size_t entry_size)
{
	return (struct header){ .magic = "layerbox " PACKAGE_VERSION, .entry_size = entry_size };
}

char *entry_cache_path(const char *directory, int containers_fd)
{
	struct stat st;

	if (fstat(containers_fd, &st) < 0)
		return NULL;
	return text_format("%s/%llx-%llx", directory, (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
}

void *entry_cache_load(const char *path, size_t entry_size, size_t *ret_count)
{
	const struct header header = header_of(entry_size);
	CLEANUP_FREE char *data = NULL;
	size_t length;
	void *entries;

	*ret_count = 0;
	if (file_read(AT_FDCWD, path, CACHE_BYTES_MAX, &data, &length) < 0 || length < sizeof header ||
	    memcmp(data, &header, sizeof header) != 0 || (length - sizeof header) % entry_size != 0)
		return NULL;
	length -= sizeof header;
	entries = malloc(length + 1);
	if (!entries)
		return NULL;
	memcpy(entries, data + sizeof header, length);
	*ret_count = length / entry_size;
	return entries;
}

void entry_cache_save(const char *directory, const char *path, const void *entries, size_t entry_size, size_t count)
{
	const struct header header = header_of(entry_size);
	CLEANUP_BUFFER struct buffer data = { 0 };
	int r;

	buffer_add(&data, &header, sizeof header);
	buffer_add(&data, entries, count * entry_size);
	if (!path || data.failed)
		return;
	r = file_write(AT_FDCWD, path, data.data, data.length, 0600, FILE_LAZY);
	if (r == -ENOENT && tree_make_directories(AT_FDCWD, directory, 0755) >= 0)
		file_write(AT_FDCWD, path, data.data, data.length, 0600, FILE_LAZY);
}
