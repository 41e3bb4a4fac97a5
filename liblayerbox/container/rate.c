/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rate.h"

#include <string.h>
#include <strings.h>

#include "../util/text.h"

#define RATE_MIN 64000ULL             /* a full frame takes a fifth of a second: below, nobody could log in any more */
#define RATE_MAX 100000000000ULL

static const struct {
	const char *name;
	uint64_t bits;
} units[] = { { "Gbit", 1000000000 }, { "Mbit", 1000000 }, { "kbit", 1000 } };

enum { UNITS = sizeof units / sizeof *units };

const char *rate_set(const char *value, uint64_t *ret_bits_per_second)
{
	static const char rule[] =
		"must be a whole number of kbit, Mbit or Gbit per second, such as 100Mbit (powers of "
		"1000), from 64kbit to 100Gbit";
	size_t n = strspn(value, "0123456789");
	char digits[16];
	uint64_t number;

	if (!*value) {
		*ret_bits_per_second = 0;
		return NULL;
	}
	if (n >= sizeof digits)
		return rule;
	memcpy(digits, value, n);
	digits[n] = '\0';
	if (!text_to_number(digits, 1, RATE_MAX, &number))
		return rule;
	for (size_t i = 0; i < UNITS; i++) {
		if (strcasecmp(value + n, units[i].name) != 0)
			continue;
		if (__builtin_mul_overflow(number, units[i].bits, &number) || number < RATE_MIN || number > RATE_MAX)
			return rule;
		*ret_bits_per_second = number;
		return NULL;
	}
	return rule;
}

char *rate_to_text(uint64_t bits_per_second)
{
	if (!bits_per_second)
		return strdup("");
	for (size_t i = 0; i < UNITS; i++)
		if (bits_per_second % units[i].bits == 0)
			return text_format("%llu%s", (unsigned long long)(bits_per_second / units[i].bits),
					   units[i].name);
	return text_format("%llubit", (unsigned long long)bits_per_second);
}
