/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of whatever origin, made fit for a terminal, a log and JSON. */
#pragma once

#include <stddef.h>

/* How many bytes the character at @s has; 0 where it is none of UTF-8, or a control character (C1 included). */
size_t utf8_character(const char *s);

/* Replaces every byte that is part of no such character, but tabs, by '?', in place. Returns @s. */
char *utf8_clean(char *s);

/* How many of the first @max bytes of clean text are whole characters. */
size_t utf8_whole(const char *s, size_t max);
