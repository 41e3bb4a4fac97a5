/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays that grow by doubling, so that adding one by one costs little. */
#pragma once

#include <stddef.h>

/*
 * Makes room for one more item in an array of @count items of @size bytes, which has room for *capacity. Returns where
 * the array is now; NULL without memory: then it is as it was.
 */
void *array_grow(void *items, size_t count, size_t *capacity, size_t size);
