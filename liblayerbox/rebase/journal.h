/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The journal of a transaction: what was, what is done, in order, as text; undone from its end. A line for each step:
 *
 *     VERB NUMBER WAS SHALL PATH
 *
 * NUMBER names the files in new/ and undo/; WAS and SHALL are attributes (inode:mode:uid:gid:size:atime:mtime) or "-";
 * the size of a directory that comes is tree_print() of what is in it. Spaces, backslashes and control characters of a
 * path are written in octal. The last line has the number of lines and a checksum: a file that does not end so is
 * damaged. It is replaced as a whole, never written into.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum journal_verb {
	JOURNAL_PARENT,               /* a directory whose entries change: WAS, to give it its time back */
	JOURNAL_ANCESTOR,             /* one further up: WAS, should it have to be made again */
	JOURNAL_OUT,                  /* PATH goes to undo/NUMBER */
	JOURNAL_IN,                   /* new/NUMBER goes to PATH, where nothing is; SHALL: as it was prepared */
	JOURNAL_REPLACE,              /* both */
	JOURNAL_ATTRIBUTES,           /* a directory gets SHALL */
	JOURNAL_UNCOVER,              /* a directory, which WAS opaque, lets the base's show */
	JOURNAL_VERBS,
};

struct journal_line {
	enum journal_verb verb;
	unsigned number;
	struct stat was, shall;       /* of these only what is noted */
	char *path;                   /* "." is the top layer itself */
};

/* Zero-initialise. */
struct journal {
	struct journal_line *lines;
	size_t count, capacity;
};

/* Appends a line with a copy of @path; NULL members of attributes are not noted. Returns its index, or -ENOMEM. */
int journal_add(struct journal *journal, enum journal_verb verb, unsigned number, const struct stat *was,
		const struct stat *shall, const char *path);

/* Moves all lines of @more to the end of @journal; @more is empty then. 0, or -ENOMEM and nothing is changed. */
int journal_append(struct journal *journal, struct journal *more);

/* The text of the file, the caller's; NULL without memory. */
char *journal_format(const struct journal *journal, size_t *ret_length);

/* Reads such a text; -EBADMSG where it is damaged. */
int journal_parse(const char *text, struct journal *ret_journal);

/* Whether @path is one below the top layer: names between single slashes, none of them "." or "..". */
bool journal_is_path(const char *path);

/* Whether a step moves something out of the top layer, or into it. */
static inline bool journal_moves_out(const struct journal_line *line)
{
	return line->verb == JOURNAL_OUT || line->verb == JOURNAL_REPLACE;
}

static inline bool journal_moves_in(const struct journal_line *line)
{
	return line->verb == JOURNAL_IN || line->verb == JOURNAL_REPLACE;
}

void journal_free(struct journal *journal);
#define CLEANUP_JOURNAL CLEANUP(journal_free)
