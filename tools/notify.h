/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd wants to know of a service of Type=notify: sd_notify(3), spoken without libsystemd. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Tells the service manager, where one started this program and asked to be told: lines such as "READY=1" and
 * "STATUS=...". What it does not hear is nobody's failure.
 */
void notify(const char *state);

/* How often "WATCHDOG=1" is expected at the least, in microseconds; 0 where it is not. */
uint64_t notify_watchdog_us(void);
