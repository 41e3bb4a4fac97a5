/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is a package manager at work in a running container? */
#pragma once

#include <sys/types.h>

/* Looks for dpkg's locks in what process @pid sees as /. 1 when one is held, 0 when none is, or a negative errno. */
int dpkg_is_locked(pid_t pid);
