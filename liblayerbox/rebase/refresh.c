/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refresh.h"

#include <fcntl.h>
#include <stdio.h>

#include "../base/generation.h"
#include "../core/store.h"

static bool find_newest(struct lb_context *ctx, const char *base, unsigned *ret_newest)
{
	char path[NAME_LENGTH_MAX + 16];
	CLEANUP_FD int fd = -1;

	if (store_open(ctx) < 0)
		return false;
	snprintf(path, sizeof path, STORE_BASES "/%s", base);
	fd = openat(ctx->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && generation_find_newest(fd, ret_newest) == 0;
}

/* The generation of its base that was tried in vain or undone, 0 for none. */
static unsigned tried(const struct record *record)
{
	char base[NAME_LENGTH_MAX + 1];
	unsigned generation;

	return name_parse_base(record->refresh_tried, base, &generation) && text_equal(base, record->base) ? generation : 0;
}

enum refresh refresh_get(struct lb_context *ctx, const struct record *record, char ret_to[BASE_TEXT_SIZE])
{
	unsigned newest;

	if (!record->refresh_base || !find_newest(ctx, record->base, &newest) || newest <= record->generation ||
	    newest <= tried(record))
		return REFRESH_NOT;
	snprintf(ret_to, BASE_TEXT_SIZE, "%s@%u", record->base, newest);
	return *record->rebased_from && !record->rebased_by_refresh ? REFRESH_WAITS : REFRESH_DUE;
}

bool refresh_is_refusal(int result)
{
	return result == -LB_ERR_CONFLICT || result == -LB_ERR_PROGRAM_FAILED;
}
