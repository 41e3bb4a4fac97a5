/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a plan will do to a top layer, in order, before any of it is done. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum change_kind {
	CHANGE_DROP,                  /* the entry goes; a directory with all that is in it */
	CHANGE_DATA,                  /* a file with content of the plan's */
	CHANGE_COPY_OLD,              /* a copy of what the old generation has at `source` */
	CHANGE_COPY_NEW,              /* of what the new generation has there */
	CHANGE_COPY_TOP,              /* of what the top layer has there now */
	CHANGE_WHITEOUT,
	CHANGE_ATTRIBUTES,            /* of a directory: those of `like` */
	CHANGE_UNCOVER,               /* a directory is opaque no more */
};

struct change {
	enum change_kind kind;
	char *path;                   /* relative, each only once */
	char *source;                 /* of a copy */
	char *data;
	size_t length;
	struct stat like;             /* mode and owner, where has_like */
	bool has_like;
};

/* A failed allocation is kept and shows at the end. Zero-initialise. */
struct changes {
	struct change *items;
	size_t count, capacity;
	bool failed;
};

void changes_add(struct changes *changes, enum change_kind kind, const char *path);

/* @like may be NULL: attributes are copied as well. */
void changes_add_copy(struct changes *changes, enum change_kind kind, const char *path, const char *source,
		      const struct stat *like);

/* Takes @data, which came from malloc(3). */
void changes_add_data(struct changes *changes, const char *path, char *data, size_t length, const struct stat *like);

void changes_add_attributes(struct changes *changes, const char *path, const struct stat *like);

/* Forgets all but the first @count. */
void changes_cut(struct changes *changes, size_t count);

void changes_free(struct changes *changes);
