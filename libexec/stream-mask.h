/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a stream is written for a program that compresses it and keeps what is new (restic): with every byte XORed with
 * STREAM_MASK. Such programs cut at places that the content decides, so that behind a change they find the same pieces
 * again. The place is where a hash of the last 64 bytes has zeros in it, and of 64 zeros it has. Tar headers have those:
 * of small files each would be a place to cut, pieces would all have the smallest length, and behind a change of length
 * every other one be another. Masked there are no zeros, and what can be compressed stays so.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "stream-format.h"

/* Copies @length bytes, changed or changed back. */
static inline void stream_mask(uint8_t *to, const uint8_t *from, size_t length)
{
	for (size_t i = 0; i < length; i++)
		to[i] = from[i] ^ STREAM_MASK;
}

/* A tar archive begins with a letter. */
static inline int stream_is_masked(uint8_t first_byte)
{
	return first_byte & 0x80;
}
