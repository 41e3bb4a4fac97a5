/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walls of the kernel that many containers run into long before memory or processors are at an end, and how high each
 * has to be for so many. sysctl/40-layerbox.conf raises them all; it says how the numbers come about.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bridge has no more: 1024 numbers, of which the first is not given away (BR_MAX_PORTS in the kernel). */
enum { BRIDGE_PORTS_MAX = 1023 };

struct host_limit {
	const char *key;              /* below /proc/sys: "fs/inotify/max_user_instances" */
	uint64_t host, each;          /* what the host itself needs, and each container besides */
	uint64_t shipped;             /* what the file of ours sets */
	const char *why;              /* who counts, and what happens at the wall; for "is too low: ..." */
};

/* The @index-th wall, or NULL behind the last. */
const struct host_limit *host_limit_at(size_t index);

/* How high it has to be for so many containers. */
uint64_t host_limit_needed(const struct host_limit *limit, uint64_t containers);

/* The same key as sysctl(8) writes it; @name has room for @size bytes. */
void host_limit_name(const struct host_limit *limit, char *name, size_t size);
