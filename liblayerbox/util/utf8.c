/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "utf8.h"

#include <string.h>

size_t utf8_character(const char *text)
{
	static const unsigned smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)text;
	size_t n = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;
	unsigned code = n == 1 ? *s : n ? *s & (0xffU >> (n + 1)) : 0;

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	/* Some terminals take C1 for the beginning of an escape sequence; surrogates are no characters. */
	if (n == 0 || code < smallest[n] || code < ' ' || (code >= 0x7f && code < 0xa0) ||
	    (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		return 0;
	return n;
}

char *utf8_clean(char *s)
{
	for (char *p = s; *p;) {
		size_t n = *p == '\t' ? 1 : utf8_character(p);

		if (n == 0)
			*p = '?';
		p += n ? n : 1;
	}
	return s;
}

size_t utf8_whole(const char *s, size_t max)
{
	size_t n = strnlen(s, max + 1);

	if (n <= max)
		return n;
	for (n = max; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80;)
		n--;
	return n;
}
