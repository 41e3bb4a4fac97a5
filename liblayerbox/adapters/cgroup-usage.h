/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container's control groups say it takes, in version 1 and 2. The groups are found by its init, whose
 * /proc/PID/cgroup names them whatever suffix LXC gave them; what the container has below them counts in.
 */
#pragma once

#include "../core/context.h"

#define CGROUP_UNKNOWN UINT64_MAX

struct cgroup_usage {                 /* CGROUP_UNKNOWN where this host does not count it */
	uint64_t cpu_us;
	uint64_t memory_bytes;        /* with files' pages in it */
	uint64_t memory_inactive;     /* of these, files' pages that nobody has used lately: the first to be given up */
	uint64_t memory_peak;
	uint64_t memory_limit;        /* 0: none */
	uint64_t processes;           /* with threads */
	uint64_t processes_limit;     /* 0: none */
	uint64_t read_bytes, written_bytes, reads, writes;
};

enum cgroup_meter { METER_CPU, METER_MEMORY, METER_PIDS, METER_IO, METERS };

/* Is a block device only a view of others, so that what goes through it is counted there once more? */
struct block_device {
	char number[24];              /* MAJOR:MINOR */
	bool is_view;
};

/* Where meters are read; made once for many containers. */
struct cgroup_meters {
	int fds[METERS];              /* roots of the hierarchies that have them, or -1 */
	int versions[METERS];
	int devices_fd;               /* /sys/dev/block, or -1 */
	struct block_device *devices;
	size_t count, capacity;
};

int cgroup_meters_open(struct lb_context *ctx, struct cgroup_meters *ret_meters);
void cgroup_meters_close(struct cgroup_meters *meters);

/* Reads the groups that the process is in; all is unknown where it is gone, or in no group of its own. */
void cgroup_usage_read(struct cgroup_meters *meters, pid_t pid, struct cgroup_usage *ret_usage);

/* The same from the text of its /proc/PID/cgroup. */
void cgroup_usage_of(struct cgroup_meters *meters, const char *groups, struct cgroup_usage *ret_usage);
