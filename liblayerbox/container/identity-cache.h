/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A copy of what all records say of addresses and ids, in RUNSTATEDIR, so that a create need not read hundreds of them.
 * It is no second truth: an entry counts only as long as its record is the very file that it was copied from.
 */
#pragma once

#include "record.h"

/* By what a record's file is told from any other, and from itself before a change. */
struct identity_stamp {
	uint64_t inode;               /* 0: equal to none */
	int64_t size, changed_s, changed_ns;
};

struct identity_entry {
	struct record_identity identity;
	struct identity_stamp stamp;
};

struct identity_cache {
	char *path;                   /* NULL: there is none */
	struct identity_entry *entries; /* sorted by name */
	size_t count;
};

/* Zero-initialise. What cannot be read is an empty cache. */
void identity_cache_load(int containers_fd, struct identity_cache *ret_cache);

/* Stamps the record of the container, before it is read. False where there is none. */
bool identity_stamp(int containers_fd, const char *name, struct identity_stamp *ret_stamp);

/* The entry of the container with that stamp, or NULL. */
const struct identity_entry *identity_cache_find(const struct identity_cache *cache, const char *name,
						 const struct identity_stamp *stamp);

/* Replaces the cache's file by @entries, sorted by name. A failure is none: the next call reads all records again. */
void identity_cache_save(const struct identity_cache *cache, const struct identity_entry *entries, size_t count);

void identity_cache_free(struct identity_cache *cache);
