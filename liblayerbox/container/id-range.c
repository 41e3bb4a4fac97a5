/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "id-range.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../adapters/subid.h"
#include "../core/store.h"
#include "../util/file.h"

/* How many ids are granted to root in /etc/subuid at a time: room for 256 containers. */
enum { GRANT_AHEAD = 256 * ID_RANGE_COUNT, TAIL_BYTES = 512 };

static const char header[] = "# Every id range that layerbox ever handed out: first host id, count, container. Do not "
			     "remove lines: a range that is not here may be handed out again.\n";

/*
 * Finds the end of the last range in the table. A line that a power cut tore off is cut away: its container was
 * never published.
 */
static int last_end(struct lb_context *ctx, int fd, uint64_t *ret_end)
{
	char tail[TAIL_BYTES + 1], *end, *line;
	unsigned start, count;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return fail_errno(ctx, errno, "cannot read the id ranges");
	n = pread(fd, tail, TAIL_BYTES, st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0);
	if (n < 0)
		return fail_errno(ctx, errno, "cannot read the id ranges");
	tail[n] = '\0';
	end = strrchr(tail, '\n');
	if (end && end[1] && ftruncate(fd, st.st_size - (off_t)strlen(end + 1)) < 0)
		return fail_errno(ctx, errno, "cannot repair the id ranges");
	*ret_end = 0;
	if (!end)
		return 0;
	*end = '\0';
	line = strrchr(tail, '\n');
	line = line ? line + 1 : tail;
	if (*line == '#')
		return 0;
	if (sscanf(line, "%u %u", &start, &count) != 2)
		return fail(ctx, -LB_ERR_DAMAGED,
			    "the last line of %s/" STORE_ID_RANGES
			    " is not START COUNT NAME: \"%.60s\"; put it right by hand, "
			    "above every id_range in the containers' container.conf",
			    ctx->config.root, text_printable(line));
	*ret_end = (uint64_t)start + count;
	return 0;
}

/* The first range from @start on that touches no other user's. */
static uint64_t next_free(const struct subid_table *table, uint64_t start)
{
	uint64_t conflict;

	while (start + ID_RANGE_COUNT <= UINT32_MAX &&
	       (conflict = subid_conflict(table, (uint32_t)start, ID_RANGE_COUNT)))
		start = conflict;
	return start;
}

int id_range_allocate(struct lb_context *ctx, const char *name, uint32_t above, uint32_t *ret_start)
{
	CLEANUP_FD int fd =
		openat(ctx->root_fd, STORE_ID_RANGES, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	CLEANUP(subid_free) struct subid_table others = { 0 };
	char line[256];
	uint64_t start = 0;
	int r, n = 0;

	if (fd < 0)
		return fail_errno(ctx, errno, "cannot open %s/" STORE_ID_RANGES, ctx->config.root);
	r = last_end(ctx, fd, &start);
	if (r == 0)
		r = subid_load(ctx, &others);
	if (r < 0)
		return r;
	if (start == 0)
		n = snprintf(line, sizeof line, "%s", header);
	start = start > above ? start : above;
	start = next_free(&others, start > ctx->config.id_start ? start : ctx->config.id_start);
	if (start + ID_RANGE_COUNT > UINT32_MAX)
		return fail(ctx, -LB_ERR_EXHAUSTED,
			    "all id ranges of this host have been handed out; see layerbox(8), ID RANGES, for what to "
			    "do");
	r = subid_grant(ctx, &others, (uint32_t)start, ID_RANGE_COUNT, GRANT_AHEAD);
	if (r < 0)
		return r;
	n += snprintf(line + n, sizeof line - (size_t)n, "%u %u %s\n", (unsigned)start, (unsigned)ID_RANGE_COUNT, name);
	r = fd_write_all(fd, line, (size_t)n);
	if (r < 0)
		return fail_errno(ctx, r, "cannot write to %s/" STORE_ID_RANGES, ctx->config.root);
	*ret_start = (uint32_t)start;
	return 0;
}

int id_range_sync(struct lb_context *ctx)
{
	CLEANUP_FD int fd = openat(ctx->root_fd, STORE_ID_RANGES, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT)
		return 0; /* there are privileged containers only */
	if (fd < 0 || fsync(fd) < 0)
		return fail_errno(ctx, errno, "cannot write %s/" STORE_ID_RANGES " to disk", ctx->config.root);
	return 0;
}

int id_range_ensure(struct lb_context *ctx, uint32_t start, uint32_t count)
{
	CLEANUP(subid_free) struct subid_table others = { 0 };
	int r = subid_load(ctx, &others);

	return r < 0 ? r : subid_grant(ctx, &others, start, count, GRANT_AHEAD);
}
