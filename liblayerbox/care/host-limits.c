/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-limits.h"

#include <stdio.h>

static const struct host_limit limits[] = {
	{ "fs/inotify/max_user_instances", 64, 8, 16384,
	  "those of all containers count for the host's root, and programs fail with \"Too many open files\"" },
	{ "fs/inotify/max_user_watches", 4096, 256, 1048576,
	  "those of all containers count for the host's root, and programs fail with \"No space left on device\"" },
	/* Who has ids of its own has a share of its own: the number of containers does not matter. */
	{ "kernel/keys/maxkeys", 100, 0, 2000,
	  "each unprivileged container's root may have so many, one for each service, and services fail to start" },
	{ "kernel/keys/maxbytes", 10000, 0, 200000,
	  "the keys of each unprivileged container's root may take so much, and services fail to start" },
	{ "kernel/pty/max", 1024, 8, 16384, "terminals and consoles cannot be opened" },
	{ "kernel/pid_max", 2048, 100, 4194304, "every thread of a container takes one, and programs cannot fork" },
	{ "net/ipv4/neigh/default/gc_thresh3", 128, 4, 16384,
	  "the host and all containers share it, and packets get lost (\"neighbour table overflow\")" },
	{ "net/ipv6/neigh/default/gc_thresh3", 128, 8, 16384,
	  "the host and all containers share it, and packets get lost (\"neighbour table overflow\")" },
};

const struct host_limit *host_limit_at(size_t index)
{
	return index < sizeof limits / sizeof *limits ? &limits[index] : NULL;
}

uint64_t host_limit_needed(const struct host_limit *limit, uint64_t containers)
{
	return containers ? limit->host + limit->each * containers : 0;
}

void host_limit_name(const struct host_limit *limit, char *name, size_t size)
{
	snprintf(name, size, "%s", limit->key);
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '.';
}
