/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arrays of entries that commands keep for one another in RUNSTATEDIR, a file for each root: only memory, which a
 * reboot empties. Another version of layerbox does not take the entries for its own.
 */
#pragma once

#include <stddef.h>

/* DIRECTORY/ and a name for the root that @containers_fd belongs to, however it is reached; the caller's, or NULL. */
char *entry_cache_path(const char *directory, int containers_fd);

/* The entries, the caller's (free(3)), and how many; NULL and 0 where there are none that can be used. */
void *entry_cache_load(const char *path, size_t entry_size, size_t *ret_count);

/* Replaces them, if it can be done. @directory is made where it is missing; @path may be NULL. */
void entry_cache_save(const char *directory, const char *path, const void *entries, size_t entry_size, size_t count);
