/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quarantine.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "../core/subnet.h"
#include "../util/array.h"
#include "../util/file.h"

/* How far a clock may have been set back without freeing addresses; beyond that, a line's time is a mistake. */
enum { CLOCK_SLACK_SECONDS = 24 * 60 * 60 };

enum { FILE_BYTES_MAX = 16 << 20, LINES_MIN_TO_COMPACT = 64, TRIES_MAX = 100 };

void quarantine_free(struct quarantine *quarantine)
{
	free(quarantine->entries);
	*quarantine = (struct quarantine){ 0 };
}

/* ---- the text ---- */

static bool parse_line(char *line, struct quarantine_entry *ret_entry)
{
	char *space = strchr(line, ' ');
	uint64_t until;

	if (!space)
		return false;
	*space = '\0';
	if (!ipv4_parse(line, &ret_entry->address) || !text_to_number(space + 1, 1, INT64_MAX, &until))
		return false;
	ret_entry->until = (int64_t)until;
	return true;
}

static bool rests(const struct quarantine_entry *entry, int64_t now, uint32_t seconds)
{
	return seconds && entry->until > now && entry->until - now <= (int64_t)seconds + CLOCK_SLACK_SECONDS;
}

/* By address; of the same, the one that rests longest first. */
static int compare_entries(const void *a, const void *b)
{
	const struct quarantine_entry *left = a, *right = b;

	if (left->address != right->address)
		return left->address < right->address ? -1 : 1;
	return left->until == right->until ? 0 : left->until > right->until ? -1 : 1;
}

static void sort_out(struct quarantine *quarantine)
{
	size_t kept = 0;

	if (quarantine->count > 1)
		qsort(quarantine->entries, quarantine->count, sizeof *quarantine->entries, compare_entries);
	for (size_t i = 0; i < quarantine->count; i++)
		if (kept == 0 || quarantine->entries[kept - 1].address != quarantine->entries[i].address)
			quarantine->entries[kept++] = quarantine->entries[i];
	quarantine->count = kept;
}

int quarantine_parse(char *text, int64_t now, uint32_t seconds, struct quarantine *ret_quarantine, size_t *ret_over)
{
	struct quarantine quarantine = { 0 };
	size_t lines = 0, capacity = 0;
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct quarantine_entry entry, *entries;

		lines++;
		if (!parse_line(line, &entry) || !rests(&entry, now, seconds))
			continue;
		entries = array_grow(quarantine.entries, quarantine.count, &capacity, sizeof *entries);
		if (!entries) {
			quarantine_free(&quarantine);
			return -ENOMEM;
		}
		quarantine.entries = entries;
		quarantine.entries[quarantine.count++] = entry;
	}
	sort_out(&quarantine);
	*ret_over = lines - quarantine.count;
	*ret_quarantine = quarantine;
	return 0;
}

int64_t quarantine_until(const struct quarantine *quarantine, uint32_t address)
{
	size_t low = 0, high = quarantine->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct quarantine_entry *entry = quarantine->entries + middle;

		if (entry->address == address)
			return entry->until;
		if (entry->address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* ---- the file ---- */

/* Opens the file with its lock, and not one that another has just replaced. 0600: else anyone could hold the lock. */
static int open_locked(int directory_fd)
{
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		CLEANUP_FD int fd = openat(directory_fd, QUARANTINE_FILE,
					   O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
		struct stat locked, present;

		if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &locked) < 0)
			return -errno;
		if (fstatat(directory_fd, QUARANTINE_FILE, &present, AT_SYMLINK_NOFOLLOW) == 0 &&
		    locked.st_ino == present.st_ino && locked.st_dev == present.st_dev)
			return take_fd(&fd);
	}
	return -EBUSY;
}

/* A line that a power failure cut short must not take the next with it. */
static bool ends_within_line(int fd)
{
	struct stat st;
	char last;

	return fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

int quarantine_add(struct lb_context *ctx, int directory_fd, const char *ipv4)
{
	CLEANUP_FD int fd = -1;
	char line[64];
	int r;

	if (!ctx->config.quarantine_seconds)
		return 1;
	fd = open_locked(directory_fd);
	if (fd < 0)
		return fail_errno(ctx, fd, "cannot open the list of addresses that rest, " QUARANTINE_FILE);
	snprintf(line, sizeof line, "%s%s %lld\n", ends_within_line(fd) ? "\n" : "", ipv4,
		 (long long)time(NULL) + ctx->config.quarantine_seconds);
	r = fd_write_all(fd, line, strlen(line));
	return r < 0 ? fail_errno(ctx, r, "cannot write the list of addresses that rest, " QUARANTINE_FILE) : 0;
}

static int read_file(struct lb_context *ctx, int directory_fd, struct quarantine *ret_quarantine, size_t *ret_over)
{
	CLEANUP_FREE char *text = NULL;
	int r = file_read(directory_fd, QUARANTINE_FILE, FILE_BYTES_MAX, &text, NULL);

	if (r == -ENOENT) {
		*ret_quarantine = (struct quarantine){ 0 };
		*ret_over = 0;
		return 0;
	}
	if (r < 0)
		return fail_errno(ctx, r, "cannot read the list of addresses that rest, " QUARANTINE_FILE);
	r = quarantine_parse(text, (int64_t)time(NULL), ctx->config.quarantine_seconds, ret_quarantine, ret_over);
	return r < 0 ? fail_memory(ctx) : 0;
}

/* Writes only what still rests; read again behind the lock, since lines may have come. */
static int compact(struct lb_context *ctx, int directory_fd)
{
	CLEANUP_QUARANTINE struct quarantine quarantine = { 0 };
	CLEANUP_BUFFER struct buffer text = { 0 };
	CLEANUP_FD int fd = open_locked(directory_fd);
	size_t over;
	int r = fd < 0 ? fd : read_file(ctx, directory_fd, &quarantine, &over);

	if (r < 0)
		return r;
	for (size_t i = 0; i < quarantine.count; i++) {
		char ipv4[IPV4_TEXT_SIZE];

		ipv4_format(quarantine.entries[i].address, ipv4);
		buffer_format(&text, "%s %lld\n", ipv4, (long long)quarantine.entries[i].until);
	}
	buffer_add(&text, "", 0);
	return text.failed ? -ENOMEM
			   : file_write(directory_fd, QUARANTINE_FILE, text.data, text.length, 0600, FILE_LAZY);
}

int quarantine_load(struct lb_context *ctx, int directory_fd, struct quarantine *ret_quarantine)
{
	size_t over;
	int r = read_file(ctx, directory_fd, ret_quarantine, &over);

	if (r < 0)
		return r;
	/* What cannot be made smaller now can be read as it is. */
	if (over >= LINES_MIN_TO_COMPACT && over > ret_quarantine->count && compact(ctx, directory_fd) < 0)
		log_message(ctx, LB_LOG_DEBUG, "the list of addresses that rest could not be made smaller");
	return 0;
}
