/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What making an entry of a manifest has in common with writing it. */
#pragma once

#include "../util/text.h"

/* Adds @s with each byte below 0x21, 0x7f, backslash, and byte of @others as a backslash and three octal digits. */
void manifest_add_escaped(struct buffer *text, const char *s, const char *others);
