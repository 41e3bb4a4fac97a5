/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A text of var/lib/dpkg/status, read: hostile until it is here. What is in it points into the text. */
#pragma once

#include "../util/slice.h"

#include <stdint.h>

/* Whose a package database is. */
enum package_whose {
	PACKAGE_OLD,                  /* of the container's generation */
	PACKAGE_NEW,                  /* of the generation it goes to */
	PACKAGE_OWN,                  /* of the container */
	PACKAGE_FETCHED,              /* of what the new base's sources have for the container's own packages */
	PACKAGE_WHOSE_COUNT,
};

/* In dpkg's order: from PACKAGE_HALF_INSTALLED on, there are files of it. */
enum package_state {
	PACKAGE_NOT_INSTALLED,
	PACKAGE_CONFIG_FILES,
	PACKAGE_HALF_INSTALLED,
	PACKAGE_UNPACKED,
	PACKAGE_HALF_CONFIGURED,
	PACKAGE_TRIGGERS_AWAITED,
	PACKAGE_TRIGGERS_PENDING,
	PACKAGE_INSTALLED,
};

enum package_field {
	FIELD_NAME,
	FIELD_STATUS,
	FIELD_ARCHITECTURE,
	FIELD_MULTI_ARCH,
	FIELD_VERSION,
	FIELD_SOURCE,
	FIELD_CONFFILES,
	FIELD_TRIGGERS,             /* those pending */
	FIELD_PROVIDES,
	FIELD_PRE_DEPENDS,
	FIELD_DEPENDS,
	FIELD_CONFLICTS,
	FIELD_BREAKS,
	FIELD_COUNT,
};

struct package {
	struct slice stanza;
	struct slice fields[FIELD_COUNT];
	struct slice foreign;         /* its architecture; empty for the native one and `all`, which are one to dpkg */
	struct slice want;            /* install, hold, deinstall, purge, unknown */
	enum package_state state;
	bool reinstall;               /* dpkg wants it installed again before anything else */
	bool same, everywhere;        /* Multi-Arch: same, foreign */
	enum package_whose whose;
};

struct package_db {
	struct package *packages;     /* by name, then architecture; each once */
	size_t count;
	const char *text;
	enum package_whose whose;
};

/* -EINVAL with a sentence in @error where @text (NULL: there is none) is no database; -ENOMEM. */
int package_db_read(const char *text, enum package_whose whose, struct package_db *ret_db, char *error,
		    size_t error_size);

/* The architecture that dpkg itself has; empty where dpkg is not installed. */
struct slice package_db_native(const struct package_db *db);

/* Sorts, once it is known which architecture is the native one. -EINVAL where a package is there twice. */
int package_db_sort(struct package_db *db, struct slice native, char *error, size_t error_size);

void package_db_free(struct package_db *db);

/* By name, then architecture; as they are sorted. */
int package_order(const struct package *a, const struct package *b);

/* The same package, in whatever version; NULL where @db does not have it. */
const struct package *package_db_find(const struct package_db *db, const struct package *package);

/* Whether its files are there; NULL is allowed. */
static inline bool package_installed(const struct package *package)
{
	return package && package->state >= PACKAGE_HALF_INSTALLED;
}

/* As its files in info/ are called: "NAME", or "NAME:ARCH". The caller's; NULL without memory. */
char *package_info_name(const struct package *package);

/* The same version, as dpkg compares them. */
bool package_same_version(const struct package *a, const struct package *b);

const char *package_state_name(enum package_state state);

/* "the container's", "the new base's", "the old base's", "the new base's sources'" */
const char *package_whose_name(enum package_whose whose);
