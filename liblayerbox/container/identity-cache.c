/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "identity-cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "../core/entry-cache.h"

#define DIRECTORY RUNSTATEDIR "/layerbox/identities"

/*
 * Files are stamped with the clock's last tick. What was written less than two of the longest ticks ago may be written
 * once more without a new stamp.
 */
enum { TICKS_NS = 20000000 };

void identity_cache_load(int containers_fd, struct identity_cache *ret_cache)
{
	*ret_cache = (struct identity_cache){ .path = entry_cache_path(DIRECTORY, containers_fd) };
	if (ret_cache->path)
		ret_cache->entries = entry_cache_load(ret_cache->path, sizeof *ret_cache->entries, &ret_cache->count);
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
	entry_cache_save(DIRECTORY, cache->path, entries, sizeof *entries, count);
}

void identity_cache_free(struct identity_cache *cache)
{
	free(cache->path);
	free(cache->entries);
}
