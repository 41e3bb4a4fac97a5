/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of the host that a container sees, as its record has them: `mount.NAME = SRC:DST[:ro]`. Text and values only;
 * bind-mount.h does it.
 */
#pragma once

#include "../core/name.h"

#define BIND_PREFIX "mount."

enum {
	BIND_KEY_SIZE = sizeof BIND_PREFIX + NAME_LENGTH_MAX,
	BIND_LINE_MAX = 1000,         /* bytes of a value */
	BINDS_MAX = 32,               /* of one container */
};

struct bind {
	char key[BIND_KEY_SIZE];      /* mount.NAME */
	char *source;                 /* absolute path on the host, without . and .. */
	char *target;                 /* the same in the container */
	bool read_only;
};

/* Sorted by target: what lies below another one comes behind it. */
struct bind_list {
	struct bind *items;
	size_t count;
};

/* Is that mount.NAME, with a DNS label as NAME? */
bool bind_is_key(const char *key);

/* Takes a value for @key; "" takes it away. NULL, or why not ("must be ..."); then the list is as it was. */
const char *bind_list_set(struct bind_list *list, const char *key, const char *value);

/* NULL where there is none. */
const struct bind *bind_list_find(const struct bind_list *list, const char *key);

/* SRC:DST or SRC:DST:ro, "" for NULL; the caller's, NULL without memory. */
char *bind_format(const struct bind *bind);

void bind_list_free(struct bind_list *list);

#define CLEANUP_BIND_LIST CLEANUP(bind_list_free)
