/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sockets in another network namespace: who has one acts there, wherever he is himself. */
#pragma once

#include <sys/types.h>

/* socket(2) in the network namespace of process @pid: a descriptor, or a negative errno (-ESRCH, -ENOENT: it ended). */
int netns_socket(pid_t pid, int family, int type, int protocol);
