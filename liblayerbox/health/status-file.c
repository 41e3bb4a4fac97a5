/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status-file.h"

#include <fcntl.h>
#include <stdio.h>

#include "../core/entry-cache.h"
#include "../core/store.h"
#include "../util/array.h"
#include "../util/file.h"
#include "../util/tree.h"

#define DIRECTORY RUNSTATEDIR "/layerbox/health"
#define FIRST_LINE "layerbox-health 1 "

enum { STATUS_BYTES_MAX = 16 << 20, FIELDS = 10 };

char *health_status_path(int containers_fd)
{
	return entry_cache_path(DIRECTORY, containers_fd);
}

char *health_status_path_of(struct lb_context *ctx)
{
	CLEANUP_FD int containers_fd = store_open_directory(ctx, STORE_CONTAINERS);

	return containers_fd < 0 ? NULL : health_status_path(containers_fd);
}

/* ---- the lock: one of the open file's, which can be asked after without being taken ---- */

static int open_lock(const char *path, int flags)
{
	CLEANUP_FREE char *lock = text_format("%s.lock", path);
	int fd = lock ? open(lock, flags | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;

	return fd < 0 ? (lock ? -errno : -ENOMEM) : fd;
}

int health_status_lock(const char *path)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int r = tree_make_directories(AT_FDCWD, DIRECTORY, 0755);
	CLEANUP_FD int fd = r < 0 ? r : open_lock(path, O_RDWR | O_CREAT);

	if (fd < 0)
		return fd;
	if (fcntl(fd, F_OFD_SETLK, &whole) < 0)
		return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
	return take_fd(&fd);
}

bool health_status_is_locked(const char *path)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CLEANUP_FD int fd = open_lock(path, O_RDWR);

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

/* ---- the text ---- */

static bool take_entry(char *line, struct health_entry *ret_entry)
{
	static const uint64_t most[FIELDS - 1] = { HEALTH_UNKNOWN, INT32_MAX,	INT64_MAX,	     INT64_MAX,
						   UINT32_MAX,	   UINT32_MAX,	HEALTH_TOLD_UNKNOWN, 1,
						   UINT64_MAX };
	uint64_t numbers[FIELDS - 1];
	char *save = NULL, *name = strtok_r(line, " ", &save);

	if (!name || !name_is_valid(name) || !text_copy(ret_entry->name, sizeof ret_entry->name, name))
		return false;
	for (size_t i = 0; i < FIELDS - 1; i++) {
		const char *field = strtok_r(NULL, " ", &save);

		/* Which one it is was not written always. */
		if (!field && i == FIELDS - 2)
			field = "0";
		if (!field || !text_to_number(field, 0, most[i], &numbers[i]))
			return false;
	}
	ret_entry->state = (enum health_state)numbers[0];
	ret_entry->pid = (pid_t)numbers[1];
	ret_entry->since_ms = (int64_t)numbers[2];
	ret_entry->start_ms = (int64_t)numbers[3];
	ret_entry->failures = (unsigned)numbers[4];
	ret_entry->restarts = (unsigned)numbers[5];
	ret_entry->told = (enum health_told)numbers[6];
	ret_entry->was_cured = numbers[7];
	ret_entry->born = numbers[8];
	return true;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct health_entry *)a)->name, ((const struct health_entry *)b)->name);
}

void health_status_parse(char *text, struct health_status *ret_status)
{
	struct health_status status = { 0 };
	size_t capacity = 0;
	char *save = NULL, *line = strtok_r(text, "\n", &save);
	const char *disk = line ? text_after(line, FIRST_LINE) : NULL;

	*ret_status = status;
	if (!disk)
		return;
	status.disk_told = text_equal(disk, "disk-full");
	while ((line = strtok_r(NULL, "\n", &save))) {
		struct health_entry entry = { 0 }, *entries;

		if (!take_entry(line, &entry))
			continue;
		entries = array_grow(status.entries, status.count, &capacity, sizeof *entries);
		if (!entries)
			break;
		status.entries = entries;
		status.entries[status.count++] = entry;
	}
	if (status.count)
		qsort(status.entries, status.count, sizeof *status.entries, compare);
	*ret_status = status;
}

void health_status_format(const struct health_status *status, struct buffer *buffer)
{
	buffer_format(buffer, FIRST_LINE "%s\n", status->disk_told ? "disk-full" : "disk-ok");
	for (size_t i = 0; i < status->count; i++) {
		const struct health_entry *entry = &status->entries[i];

		buffer_format(buffer, "%s %u %d %lld %lld %u %u %u %u %llu\n", entry->name, entry->state, (int)entry->pid,
			      (long long)entry->since_ms, (long long)entry->start_ms, entry->failures,
			      entry->restarts, entry->told, entry->was_cured, (unsigned long long)entry->born);
	}
}

/* ---- the file ---- */

void health_status_load(const char *path, struct health_status *ret_status)
{
	CLEANUP_FREE char *text = NULL;

	*ret_status = (struct health_status){ 0 };
	if (file_read(AT_FDCWD, path, STATUS_BYTES_MAX, &text, NULL) == 0)
		health_status_parse(text, ret_status);
}

int health_status_save(const char *path, const struct health_status *status)
{
	CLEANUP_BUFFER struct buffer buffer = { 0 };

	health_status_format(status, &buffer);
	if (buffer.failed)
		return -ENOMEM;
	return file_write(AT_FDCWD, path, buffer.data, buffer.length, 0600, FILE_LAZY);
}

void health_status_free(struct health_status *status)
{
	free(status->entries);
	*status = (struct health_status){ 0 };
}

static int compare_name(const void *name, const void *entry)
{
	return strcmp(name, ((const struct health_entry *)entry)->name);
}

const struct health_entry *health_status_find(const struct health_status *status, const char *name)
{
	return status->count ? bsearch(name, status->entries, status->count, sizeof *status->entries, compare_name)
			     : NULL;
}

/* ---- what is shown ---- */

const char *health_state_name(enum health_state state)
{
	static const char *const names[] = { "", "starting", "healthy", "unhealthy", "failed", "unknown" };

	return (unsigned)state < sizeof names / sizeof *names ? names[state] : "";
}

const char *health_shown(const struct health_entry *entry, const struct health_sight *sight)
{
	if (!sight->is_up) {
		if (!entry || entry->pid)
			return "";
		/* Between two restarts it is starting, for whoever wants to know whether to do something. */
		if (entry->start_ms && sight->is_watched)
			return health_state_name(HEALTH_STARTING);
		return entry->state == HEALTH_FAILED ? health_state_name(HEALTH_FAILED) : "";
	}
	if (!sight->has_check)
		return "";
	if (!sight->is_watched)
		return health_state_name(HEALTH_UNKNOWN);
	/* What is said of another life of it says nothing. */
	if (!entry || !sight->is_same_life || entry->state == HEALTH_NONE)
		return health_state_name(HEALTH_STARTING);
	return health_state_name(entry->state);
}
