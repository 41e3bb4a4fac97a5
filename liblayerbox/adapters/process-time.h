/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a process was started, as the kernel knows it: the same answer whenever it is asked. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* When the host was booted, seconds since the epoch, as the clock says now; 0 where it cannot be told. */
int64_t host_boot_time(void);

/* When the process was started, on a host that was booted at @booted; 0 where it cannot be told, or is gone. */
int64_t process_start_time(pid_t pid, int64_t booted);
