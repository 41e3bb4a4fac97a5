/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slice.h"

#include "text.h"

bool slice_to_number(struct slice slice, uint64_t min, uint64_t max, uint64_t *ret_number)
{
	char digits[24];

	if (slice.length == 0 || slice.length >= sizeof digits)
		return false;
	memcpy(digits, slice.data, slice.length);
	digits[slice.length] = '\0';
	/* A NUL among them would end the number too early. */
	return strlen(digits) == slice.length && text_to_number(digits, min, max, ret_number);
}
