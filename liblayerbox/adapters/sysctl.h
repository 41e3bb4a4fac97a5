/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings of the running kernel below /proc/sys; a key is a path there: "net/ipv4/ip_forward". */
#pragma once

#include "../core/context.h"

bool sysctl_exists(const char *key);
bool sysctl_is(const char *key, const char *value);

/* A number; false where there is no such key, or no number in it. */
bool sysctl_read(const char *key, uint64_t *ret_number);

/* Writes only where the value is another. 0, or 1 when it was so already. */
int sysctl_set(struct lb_context *ctx, const char *key, const char *value);
