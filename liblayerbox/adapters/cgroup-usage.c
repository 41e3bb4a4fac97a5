/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup-usage.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "../util/array.h"
#include "../util/file.h"
#include "cgroup.h"

enum { METER_BYTES_MAX = 1 << 20 };

static const char *const controllers_of_1[METERS] = { "cpuacct", "memory", "pids", "blkio" };

/* A group, and how it is asked. */
struct group {
	int root_fd;
	char path[PATH_MAX];          /* relative to the root */
};

int cgroup_meters_open(struct lb_context *ctx, struct cgroup_meters *ret_meters)
{
	struct cgroup_meters meters = { .devices_fd = open("/sys/dev/block", O_PATH | O_DIRECTORY | O_CLOEXEC) };
	CLEANUP(cgroup_layout_free) struct cgroup_layout layout = { 0 };
	int r = cgroup_layout_load(ctx, &layout);

	for (int i = 0; i < METERS; i++) {
		const char *place =
			r < 0 ? NULL : cgroup_mount_point(&layout, controllers_of_1[i], &meters.versions[i]);

		meters.fds[i] = place ? open(place, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	}
	if (r < 0)
		cgroup_meters_close(&meters);
	else
		*ret_meters = meters;
	return r;
}

void cgroup_meters_close(struct cgroup_meters *meters)
{
	for (int i = 0; i < METERS; i++)
		close_fd(meters->fds[i]);
	close_fd(meters->devices_fd);
	free(meters->devices);
}

/* ---- which group ---- */

/* The path in the line of a controller, or (NULL) of version 2: "4:cpu,cpuacct:/PATH", "0::/PATH". */
static bool find_path(const char *groups, const char *controller, struct slice *ret_path)
{
	struct slice rest = slice_of(groups), line, number, names, name;

	while (slice_cut(&rest, '\n', &line)) {
		if (!slice_cut(&line, ':', &number) || line.length == 0)
			continue;
		if (*line.data == ':') {
			*ret_path = slice_tail(line, 1);
			if (!controller && slice_is(number, "0"))
				return true;
			continue;
		}
		slice_cut(&line, ':', &names);
		*ret_path = line;
		while (controller && slice_cut(&names, ',', &name))
			if (slice_is(name, controller))
				return true;
	}
	return false;
}

/*
 * What stands behind LXC's group is the container's, which may have moved its init there. An operator may have named
 * the group otherwise; then only systemd's own one is known.
 */
static bool cut_to_container(struct slice path, char ret_path[PATH_MAX])
{
	static const char scope[] = "/init.scope";
	struct slice rest = path, part;

	while (slice_cut(&rest, '/', &part)) {
		if (slice_is(part, "..")) /* out of what this process sees */
			return false;
		if (part.length && text_after(part.data, "lxc.payload")) {
			path = slice_head(path, (size_t)(part.data + part.length - path.data));
			break;
		}
	}
	if (path.length >= sizeof scope - 1 && slice_is(slice_tail(path, path.length - (sizeof scope - 1)), scope))
		path.length -= sizeof scope - 1;
	while (path.length && *path.data == '/')
		path = slice_tail(path, 1);
	if (!path.length || path.length >= PATH_MAX) /* the root's numbers are the host's */
		return false;
	memcpy(ret_path, path.data, path.length);
	ret_path[path.length] = '\0';
	return true;
}

static bool find_group(const struct cgroup_meters *meters, enum cgroup_meter meter, const char *groups,
		       struct group *ret_group)
{
	const char *controller = meters->versions[meter] == 1 ? controllers_of_1[meter] : NULL;
	struct slice path;

	ret_group->root_fd = meters->fds[meter];
	return ret_group->root_fd >= 0 && find_path(groups, controller, &path) &&
	       cut_to_container(path, ret_group->path);
}

/* ---- its files ---- */

/* The caller's; NULL where there is none. */
static char *read_file(const struct group *group, const char *name)
{
	char path[PATH_MAX + 64];
	char *text;

	snprintf(path, sizeof path, "%s/%s", group->path, name);
	return file_read(group->root_fd, path, METER_BYTES_MAX, &text, NULL) < 0 ? NULL : text;
}

static uint64_t read_number(const struct group *group, const char *name)
{
	CLEANUP_FREE char *text = read_file(group, name);
	uint64_t number;

	return text && slice_to_number(slice_trim(slice_of(text)), 0, CGROUP_UNKNOWN - 1, &number) ? number
												   : CGROUP_UNKNOWN;
}

/* "max", and what version 1 has for it: as many pages as can be counted. */
static uint64_t read_limit(const struct group *group, const char *name)
{
	CLEANUP_FREE char *text = read_file(group, name);
	uint64_t number;

	if (text && slice_is(slice_trim(slice_of(text)), "max"))
		return 0;
	if (!text || !slice_to_number(slice_trim(slice_of(text)), 0, CGROUP_UNKNOWN - 1, &number))
		return CGROUP_UNKNOWN;
	return number >= (uint64_t)LONG_MAX / 2 ? 0 : number;
}

/* From a file of lines "KEY NUMBER". */
static uint64_t read_field(const struct group *group, const char *name, const char *key)
{
	CLEANUP_FREE char *text = read_file(group, name);
	struct slice rest = slice_of(text ? text : ""), line, word;
	uint64_t number;

	while (slice_cut(&rest, '\n', &line))
		if (slice_cut(&line, ' ', &word) && slice_is(word, key) &&
		    slice_to_number(slice_trim(line), 0, CGROUP_UNKNOWN - 1, &number))
			return number;
	return CGROUP_UNKNOWN;
}

/* ---- block devices ---- */

/* A device mapper's or RAID's device stands on others, its slaves. */
static bool look_for_slaves(const struct cgroup_meters *meters, const char *number)
{
	char path[64];
	const struct dirent *entry;
	bool found = false;

	snprintf(path, sizeof path, "%s/slaves", number);
	CLEANUP_DIR DIR *dir = take_dir(openat(meters->devices_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	while (dir && !found && (entry = readdir(dir)))
		found = *entry->d_name != '.';
	return found;
}

static bool is_view(struct cgroup_meters *meters, struct slice number)
{
	struct block_device device = { 0 }, *devices;

	if (number.length >= sizeof device.number)
		return false;
	for (size_t i = 0; i < meters->count; i++)
		if (slice_is(number, meters->devices[i].number))
			return meters->devices[i].is_view;
	memcpy(device.number, number.data, number.length);
	device.is_view = look_for_slaves(meters, device.number);
	devices = array_grow(meters->devices, meters->count, &meters->capacity, sizeof *devices);
	if (devices) {
		meters->devices = devices;
		devices[meters->count++] = device;
	}
	return device.is_view;
}

static void add_number(struct slice text, uint64_t *sum)
{
	uint64_t number;

	if (slice_to_number(slice_trim(text), 0, INT64_MAX, &number))
		*sum += number;
}

/*
 * Version 1: lines "MAJOR:MINOR Read NUMBER", other words, and a sum of all devices. From Linux 6.10 on it counts
 * nothing before somebody has limited something: where no device is named, nothing is known.
 */
static void read_blkio(struct cgroup_meters *meters, const struct group *group, const char *name, uint64_t *ret_read,
		       uint64_t *ret_written)
{
	CLEANUP_FREE char *text = read_file(group, name);
	struct slice rest = slice_of(text ? text : ""), line, device, word;
	uint64_t read = 0, written = 0;
	bool found = false;

	while (slice_cut(&rest, '\n', &line)) {
		if (!slice_cut(&line, ' ', &device) || !slice_cut(&line, ' ', &word) || is_view(meters, device))
			continue;
		if (slice_is(word, "Read"))
			add_number(line, &read);
		else if (slice_is(word, "Write"))
			add_number(line, &written);
		found = found || slice_is(word, "Read");
	}
	if (!found)
		return;
	*ret_read = read;
	*ret_written = written;
}

/* Version 2: lines "MAJOR:MINOR rbytes=NUMBER wbytes=NUMBER rios=NUMBER ..." */
static void read_io_stat(struct cgroup_meters *meters, const struct group *group, struct cgroup_usage *usage)
{
	const struct {
		const char *key;
		uint64_t *sum;
	} fields[] = { { "rbytes", &usage->read_bytes }, { "wbytes", &usage->written_bytes }, { "rios", &usage->reads },
		       { "wios", &usage->writes } };
	CLEANUP_FREE char *text = read_file(group, "io.stat");
	struct slice rest = slice_of(text ? text : ""), line, device, word, key;

	if (!text)
		return;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		*fields[i].sum = 0;
	while (slice_cut(&rest, '\n', &line)) {
		if (!slice_cut(&line, ' ', &device) || is_view(meters, device))
			continue;
		while (slice_cut(&line, ' ', &word) && slice_cut(&word, '=', &key))
			for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
				if (slice_is(key, fields[i].key))
					add_number(word, fields[i].sum);
	}
}

/* ---- all of it ---- */

static void read_cpu(const struct group *group, int version, struct cgroup_usage *usage)
{
	if (version == 2) {
		usage->cpu_us = read_field(group, "cpu.stat", "usage_usec");
		return;
	}
	usage->cpu_us = read_number(group, "cpuacct.usage");
	if (usage->cpu_us != CGROUP_UNKNOWN)
		usage->cpu_us /= 1000;
}

static void read_memory(const struct group *group, int version, struct cgroup_usage *usage)
{
	bool two = version == 2;

	usage->memory_bytes = read_number(group, two ? "memory.current" : "memory.usage_in_bytes");
	usage->memory_peak = read_number(group, two ? "memory.peak" : "memory.max_usage_in_bytes");
	usage->memory_limit = read_limit(group, two ? "memory.max" : "memory.limit_in_bytes");
	usage->memory_inactive = read_field(group, "memory.stat", two ? "inactive_file" : "total_inactive_file");
}

static void read_io(struct cgroup_meters *meters, const struct group *group, struct cgroup_usage *usage)
{
	if (meters->versions[METER_IO] == 2) {
		read_io_stat(meters, group, usage);
		return;
	}
	read_blkio(meters, group, "blkio.throttle.io_service_bytes_recursive", &usage->read_bytes,
		   &usage->written_bytes);
	read_blkio(meters, group, "blkio.throttle.io_serviced_recursive", &usage->reads, &usage->writes);
}

void cgroup_usage_of(struct cgroup_meters *meters, const char *groups, struct cgroup_usage *ret_usage)
{
	struct group group;

	memset(ret_usage, 0xff, sizeof *ret_usage);
	if (find_group(meters, METER_CPU, groups, &group))
		read_cpu(&group, meters->versions[METER_CPU], ret_usage);
	if (find_group(meters, METER_MEMORY, groups, &group))
		read_memory(&group, meters->versions[METER_MEMORY], ret_usage);
	if (find_group(meters, METER_PIDS, groups, &group)) {
		ret_usage->processes = read_number(&group, "pids.current");
		ret_usage->processes_limit = read_limit(&group, "pids.max");
	}
	if (find_group(meters, METER_IO, groups, &group))
		read_io(meters, &group, ret_usage);
}

void cgroup_usage_read(struct cgroup_meters *meters, pid_t pid, struct cgroup_usage *ret_usage)
{
	CLEANUP_FREE char *groups = NULL;
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
	if (pid <= 0 || file_read(AT_FDCWD, path, METER_BYTES_MAX, &groups, NULL) < 0)
		memset(ret_usage, 0xff, sizeof *ret_usage);
	else
		cgroup_usage_of(meters, groups, ret_usage);
}
