/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "identity-cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "../util/file.h"
#include "../util/tree.h"

#define DIRECTORY RUNSTATEDIR "/layerbox/identities"

/*
 * Files are stamped with the clock's last tick. What was written less than two of the longest ticks ago may be written
 * once more without a new stamp.
 */
enum { TICKS_NS = 20000000, CACHE_BYTES_MAX = 64 << 20 };

/* What the file begins with: a version of layerbox whose entries differ does not take them for its own. */
static const struct header {
	char magic[16];
	uint64_t entry_size;
} header = { "layerbox 1", sizeof(struct identity_entry) };

void identity_cache_load(int containers_fd, struct identity_cache *ret_cache)
{
	CLEANUP_FREE char *data = NULL;
	struct stat st;
	size_t length;

	*ret_cache = (struct identity_cache){ 0 };
	if (fstat(containers_fd, &st) < 0)
		return;
	ret_cache->path = text_format(DIRECTORY "/%llx-%llx", (unsigned long long)st.st_dev,
				      (unsigned long long)st.st_ino);
	if (!ret_cache->path || file_read(AT_FDCWD, ret_cache->path, CACHE_BYTES_MAX, &data, &length) < 0)
		return;
	if (length < sizeof header || memcmp(data, &header, sizeof header) != 0 ||
	    (length - sizeof header) % sizeof(struct identity_entry) != 0)
		return;
	length -= sizeof header;
	ret_cache->entries = malloc(length + 1);
	if (!ret_cache->entries)
		return;
	memcpy(ret_cache->entries, data + sizeof header, length);
	ret_cache->count = length / sizeof(struct identity_entry);
}

bool identity_stamp(int containers_fd, const char *name, struct identity_stamp *ret_stamp)
{
	char path[NAME_LENGTH_MAX + sizeof "/" RECORD_FILE];
	struct timespec now;
	struct stat st;
	int64_t age_ns;

	snprintf(path, sizeof path, "%s/" RECORD_FILE, name);
	if (fstatat(containers_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	age_ns = (now.tv_sec - st.st_ctim.tv_sec) * INT64_C(1000000000) + now.tv_nsec - st.st_ctim.tv_nsec;
	*ret_stamp = (struct identity_stamp){
		.inode = age_ns > TICKS_NS ? st.st_ino : 0,
		.size = st.st_size,
		.changed_s = st.st_ctim.tv_sec,
		.changed_ns = st.st_ctim.tv_nsec,
	};
	return true;
}

static int compare_name(const void *name, const void *entry)
{
	return strcmp(name, ((const struct identity_entry *)entry)->identity.name);
}

const struct identity_entry *identity_cache_find(const struct identity_cache *cache, const char *name,
						 const struct identity_stamp *stamp)
{
	const struct identity_entry *entry =
		cache->count ? bsearch(name, cache->entries, cache->count, sizeof *cache->entries, compare_name) : NULL;

	if (!entry || !stamp->inode || entry->stamp.inode != stamp->inode || entry->stamp.size != stamp->size ||
	    entry->stamp.changed_s != stamp->changed_s || entry->stamp.changed_ns != stamp->changed_ns)
		return NULL;
	return entry;
}

void identity_cache_save(const struct identity_cache *cache, const struct identity_entry *entries, size_t count)
{
	CLEANUP_BUFFER struct buffer data = { 0 };
	int r;

	buffer_add(&data, &header, sizeof header);
	buffer_add(&data, entries, count * sizeof *entries);
	if (!cache->path || data.failed)
		return;
	r = file_write(AT_FDCWD, cache->path, data.data, data.length, 0600, FILE_LAZY);
	if (r == -ENOENT && tree_make_directories(AT_FDCWD, DIRECTORY, 0755) >= 0)
		file_write(AT_FDCWD, cache->path, data.data, data.length, 0600, FILE_LAZY);
}

void identity_cache_free(struct identity_cache *cache)
{
	free(cache->path);
	free(cache->entries);
}
