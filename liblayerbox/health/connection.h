/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections to a container, from the host or from within, and what HTTP says by its first line. */
#pragma once

#include "../core/context.h"

struct health_peer {
	pid_t inside;                 /* connect in the network namespace of that process, to its loopback; 0: the host's */
	const char *ipv4;             /* else to this address */
	uint16_t port;
	unsigned timeout_s;           /* for all of it */
};

/*
 * Can somebody be reached there? 0, 1 with one line for people in @ret_why, or a negative errno for what is no fault of
 * the container's.
 */
int health_connect(const struct health_peer *peer, char *ret_why, size_t size);

/* The same, and is GET @path, or "" for /, answered with a status from 200 to 399? */
int health_get(const struct health_peer *peer, const char *path, char *ret_why, size_t size);

/* The status that the first line of an answer tells, 0 where it is none of HTTP's. Pure. */
unsigned http_status(const char *line);
