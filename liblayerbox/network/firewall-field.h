/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields that keys and values of the firewall's sets are made of, as text and as the kernel has them:
 * n interface name, m MAC, h the same written as a number, 4 IPv4 address, 6 IPv6 address, x the same written as a
 * number, p protocol, s port.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../util/text.h"

/* Its size in bytes, filled up to a multiple of four. */
size_t field_size(char type);

/* False where @text is not one of that type. @bytes are zero. */
bool field_encode(char type, const char *text, uint8_t *bytes);

/* Adds it to @text as nft writes it. */
void field_decode(char type, const uint8_t *bytes, struct buffer *text);
