/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bandwidths as text: 512kbit, 100Mbit, 1Gbit; powers of 1000, as tc(8) has them. */
#pragma once

#include <stdint.h>

/* Takes @value into *ret_bits_per_second; "" is 0. NULL, or why not ("must be ..."); then nothing is written. */
const char *rate_set(const char *value, uint64_t *ret_bits_per_second);

/* In the largest unit in which it is a whole number, "" for 0; the caller's, NULL without memory. */
char *rate_to_text(uint64_t bits_per_second);
