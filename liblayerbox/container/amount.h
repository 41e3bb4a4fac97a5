/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory and processor time as text: 512M, 2G; 0.5, 2. */
#pragma once

#include <stdint.h>

/* Takes @value into *ret_bytes, powers of 1024; "" is 0. NULL, or why not ("must be ..."); then nothing is written. */
const char *memory_set(const char *value, uint64_t *ret_bytes);

/* In the largest unit in which it is a whole number, "" for 0; the caller's, NULL without memory. */
char *memory_to_text(uint64_t bytes);

/* The same of cores, in thousandths. */
const char *cpus_set(const char *value, uint64_t *ret_millis);
char *cpus_to_text(uint64_t millis);
