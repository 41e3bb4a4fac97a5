/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "amount.h"

#include <ctype.h>

#include "../util/text.h"

static const char units[] = "KMGT";

/* 512M; 1.5G is not one: whole numbers. */
const char *memory_set(const char *value, uint64_t *ret_bytes)
{
	static const char rule[] = "must be a size such as 512M or 2G (K, M, G, T are powers of 1024), at least 4M";
	char digits[24];
	size_t n = strspn(value, "0123456789");
	const char *unit;
	uint64_t number;

	if (!*value) {
		*ret_bytes = 0;
		return NULL;
	}
	if (n >= sizeof digits)
		return rule;
	memcpy(digits, value, n);
	digits[n] = '\0';
	if (!text_to_number(digits, 1, UINT64_MAX >> 1, &number))
		return rule;
	unit = value[n] ? strchr(units, toupper((unsigned char)value[n])) : NULL;
	if (value[n] && (!unit || (value[n + 1] && !text_equal(value + n + 1, "iB"))))
		return rule;
	for (; unit && unit >= units; unit--)
		if (__builtin_mul_overflow(number, 1024U, &number) || number > UINT64_MAX >> 1)
			return rule;
	if (number < 4U << 20)
		return rule;
	*ret_bytes = number;
	return NULL;
}

char *memory_to_text(uint64_t bytes)
{
	int unit = -1;

	if (!bytes)
		return strdup("");
	while (unit < 3 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	return text_format("%llu%.*s", (unsigned long long)bytes, unit >= 0, unit >= 0 ? units + unit : "");
}

/* 0.5, 2, 1.25 */
const char *cpus_set(const char *value, uint64_t *ret_millis)
{
	static const char rule[] = "must be a number of cores such as 0.5 or 2, from 0.01 to 4096";
	char whole[16], fraction[4] = "000";
	size_t n = strcspn(value, "."), digits;
	uint64_t cores, thousandths;

	if (!*value) {
		*ret_millis = 0;
		return NULL;
	}
	if (n == 0 || n >= sizeof whole)
		return rule;
	memcpy(whole, value, n);
	whole[n] = '\0';
	if (value[n] == '.') {
		digits = strlen(value + n + 1);
		if (digits < 1 || digits > 3)
			return rule;
		memcpy(fraction, value + n + 1, digits);
	}
	if (!text_to_number(whole, 0, 4096, &cores) || !text_to_number(fraction, 0, 999, &thousandths))
		return rule;
	if (cores * 1000 + thousandths < 10)
		return rule;
	*ret_millis = cores * 1000 + thousandths;
	return NULL;
}

char *cpus_to_text(uint64_t millis)
{
	unsigned cores = (unsigned)(millis / 1000), thousandths = (unsigned)(millis % 1000);
	char *text;

	if (!millis)
		return strdup("");
	if (!thousandths)
		return text_format("%u", cores);
	text = text_format("%u.%03u", cores, thousandths);
	for (size_t n = text ? strlen(text) : 0; n && text[n - 1] == '0'; n--)
		text[n - 1] = '\0';
	return text;
}
