/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "array.h"

#include <stdlib.h>

enum { CAPACITY_FIRST = 16 };

void *array_grow(void *items, size_t count, size_t *capacity, size_t size)
{
	size_t larger = *capacity ? *capacity * 2 : CAPACITY_FIRST;

	if (count < *capacity)
		return items;
	items = reallocarray(items, larger, size);
	if (items)
		*capacity = larger;
	return items;
}
