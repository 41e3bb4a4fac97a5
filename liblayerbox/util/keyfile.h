/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of `key = value` lines, the form LXC's own configuration has: `#` begins a comment line, white
 * space around key and value does not count, a value ends with its line and needs no quotes, and a line
 * that ends in a backslash goes on in the next one. A key may come more than once.
 */
#pragma once

#include <stddef.h>

/* Receives one assignment. Returns NULL to accept it, or why not ("is not a number"). */
typedef const char *(*keyfile_fn)(const char *key, const char *value, void *userdata);

/*
 * Reads @text (modified). At the first line that is wrong: -EINVAL, with a sentence "FILE:LINE: ..." in
 * @error, of @error_size bytes. @file is used in sentences only.
 */
int keyfile_parse(char *text, const char *file, keyfile_fn fn, void *userdata, char *error, size_t error_size);

/* For keyfile_fn: puts a copy of @value in the place of what @member was. NULL, or why not. */
const char *keyfile_take(char **member, const char *value);
