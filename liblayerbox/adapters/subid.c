/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subid.h"

#include <fcntl.h>
#include <shadow.h>
#include <stdio.h>

#include "../util/file.h"

static const char *const files[] = { "/etc/subuid", "/etc/subgid" };

enum { SUBID_BYTES_MAX = 4 << 20 };

static int table_add(struct subid_table *table, const struct subid_range *range)
{
	struct subid_range *ranges = reallocarray(table->ranges, table->count + 1, sizeof *ranges);

	if (!ranges)
		return -ENOMEM;
	table->ranges = ranges;
	table->ranges[table->count++] = *range;
	return 0;
}

/* A line of subuid(5): OWNER:START:COUNT. */
static bool parse_line(char *line, struct subid_range *ret_range)
{
	char *start = strchr(line, ':'), *count = start ? strchr(start + 1, ':') : NULL;
	uint64_t first, number;

	if (!count)
		return false;
	*start++ = '\0';
	*count++ = '\0';
	if (!text_to_number(start, 0, UINT32_MAX, &first) || !text_to_number(count, 1, UINT32_MAX - first + 1, &number))
		return false;
	*ret_range = (struct subid_range){ (uint32_t)first, (uint32_t)(number > UINT32_MAX ? UINT32_MAX : number),
					   text_equal(line, "root") || text_equal(line, "0") };
	return true;
}

static int load_file(struct subid_table *table, const char *file)
{
	CLEANUP_FREE char *text = NULL;
	char *save = NULL;
	int r = file_read(AT_FDCWD, file, SUBID_BYTES_MAX, &text, NULL);

	if (r == -ENOENT)
		return 0;
	for (char *line = r < 0 ? NULL : strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct subid_range range;

		if (parse_line(line, &range))
			r = table_add(table, &range);
		if (r < 0)
			break;
	}
	return r;
}

int subid_load(struct lb_context *ctx, struct subid_table *ret_table)
{
	*ret_table = (struct subid_table){ 0 };
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		int r = load_file(ret_table, files[i]);

		if (r < 0) {
			subid_free(ret_table);
			return fail_errno(ctx, r, "cannot read %s", files[i]);
		}
	}
	return 0;
}

void subid_free(struct subid_table *table)
{
	free(table->ranges);
	*table = (struct subid_table){ 0 };
}

static bool overlaps(const struct subid_range *range, uint64_t start, uint64_t count)
{
	return range->start < start + count && start < (uint64_t)range->start + range->count;
}

uint64_t subid_conflict(const struct subid_table *table, uint32_t start, uint32_t count)
{
	for (size_t i = 0; i < table->count; i++)
		if (!table->ranges[i].is_root && overlaps(&table->ranges[i], start, count))
			return (uint64_t)table->ranges[i].start + table->ranges[i].count;
	return 0;
}

/* How many ids from @start on, up to @wanted, nobody else holds. */
static uint32_t free_from(const struct subid_table *table, uint32_t start, uint32_t wanted)
{
	uint64_t end = (uint64_t)start + wanted;

	if (end > UINT32_MAX)
		end = UINT32_MAX;
	for (size_t i = 0; i < table->count; i++)
		if (overlaps(&table->ranges[i], start, end - start) && table->ranges[i].start > start)
			end = table->ranges[i].start;
	return (uint32_t)(end - start);
}

static bool has_grant(const char *text, uint32_t start, uint32_t count)
{
	CLEANUP_FREE char *copy = strdup(text);
	char *save = NULL;

	for (char *line = copy ? strtok_r(copy, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		struct subid_range range;

		if (parse_line(line, &range) && range.is_root && range.start <= start &&
		    (uint64_t)range.start + range.count >= (uint64_t)start + count)
			return true;
	}
	return false;
}

static int grant_in_file(const char *file, uint32_t start, uint32_t count, uint32_t granted)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_BUFFER struct buffer changed = { 0 };
	int r = file_read(AT_FDCWD, file, SUBID_BYTES_MAX, &text, NULL);

	if (r < 0 && r != -ENOENT)
		return r;
	if (text && has_grant(text, start, count))
		return 0;
	buffer_add_text(&changed, text ? text : "");
	if (changed.length && changed.data[changed.length - 1] != '\n')
		buffer_add_text(&changed, "\n");
	buffer_format(&changed, "root:%u:%u\n", start, granted);
	if (changed.failed)
		return -ENOMEM;
	return file_write(AT_FDCWD, file, changed.data, changed.length, 0644, FILE_DURABLE);
}

int subid_grant(struct lb_context *ctx, const struct subid_table *table, uint32_t start, uint32_t count, uint32_t ahead)
{
	uint32_t granted = free_from(table, start, ahead);
	bool all = true;
	int r = 0;

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		CLEANUP_FREE char *text = NULL;

		if (file_read(AT_FDCWD, files[i], SUBID_BYTES_MAX, &text, NULL) < 0 || !has_grant(text, start, count))
			all = false;
	}
	if (all)
		return 0;
	/* The lock that useradd(8) and usermod(8) take before they write these files. */
	if (lckpwdf() < 0)
		return fail(ctx, -LB_ERR_BUSY,
			    "cannot lock /etc/subuid and /etc/subgid: another program is changing accounts");
	for (size_t i = 0; r == 0 && i < sizeof files / sizeof *files; i++) {
		r = grant_in_file(files[i], start, count, granted < count ? count : granted);
		if (r < 0)
			fail_errno(ctx, r, "cannot add a range for root to %s", files[i]);
	}
	ulckpwdf();
	return r;
}
