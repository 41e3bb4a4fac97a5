/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads deb822 texts (dpkg's status, apt's lists and extended_states): stanzas of `Name: value`, with empty lines
 * between them. Nothing is copied, and nothing is trusted.
 *
 *     while (stanza_next(&cursor, &stanza))
 *             while ((r = stanza_field_next(&stanza, &field)) > 0)
 */
#pragma once

#include "slice.h"

struct stanza_field {
	struct slice name;            /* never empty; printable ASCII without spaces */
	struct slice value;           /* trimmed; later lines still have newline and blank in front of them */
};

/* Takes the next stanza from a terminated text, with the newline that ends its last line; false behind the last. */
bool stanza_next(const char **cursor, struct slice *ret_stanza);

/*
 * Takes the next field from a stanza, or from what is left of it. 1, 0 behind the last, or -EINVAL where the line is
 * none: no colon, a blank line within a value, or no newline at the end, as a text that was cut off has it.
 */
int stanza_field_next(struct slice *rest, struct stanza_field *ret_field);

/* Names of fields have no case. */
bool stanza_field_is(const struct stanza_field *field, const char *name);

/* The value of the first field called @name; empty, with NULL data, where there is none. */
struct slice stanza_get(struct slice stanza, const char *name);

/* The number of the line, from 1, that @at within @text belongs to. */
size_t stanza_line(const char *text, const char *at);
