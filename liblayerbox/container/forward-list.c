/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forwards read and listed. */
#include <fcntl.h>
#include <stdio.h>

#include "../core/store.h"
#include "record.h"

static int bad_value(struct lb_context *ctx, const char *text, const char *why)
{
	char shown[96];

	snprintf(shown, sizeof shown, "%.80s", text);
	return fail(ctx, -LB_ERR_BAD_VALUE, "\"%s\" is not a forward: it %s", text_printable(shown), why);
}

static void to_public(const char *container, const struct forward *forward, size_t size, struct lb_forward *ret_public)
{
	*ret_public = (struct lb_forward){
		.size = size,
		.protocol = forward->udp ? LB_PROTOCOL_UDP : LB_PROTOCOL_TCP,
		.port = forward->port,
		.target_port = forward->target_port,
	};
	text_copy(ret_public->container, sizeof ret_public->container, container);
	text_copy(ret_public->listen, sizeof ret_public->listen, forward->listen);
}

int lb_forward_parse(struct lb_context *ctx, const char *text, struct lb_forward *ret_forward)
{
	struct forward forward;
	const char *why;
	int r = CHECK_INPUT(ctx, ret_forward, lb_forward);

	if (r < 0)
		return r;
	why = forward_parse(text, &forward);
	if (why)
		return bad_value(ctx, text, why);
	to_public("", &forward, ret_forward->size, ret_forward);
	return 0;
}

struct listing {
	struct lb_forward **items;
	size_t count;
};

static int list_record(struct listing *listing, const char *container, const struct forward_list *forwards)
{
	struct lb_forward **items = reallocarray(listing->items, listing->count + forwards->count + 1, sizeof *items);

	if (!items)
		return -ENOMEM;
	listing->items = items;
	for (size_t i = 0; i < forwards->count; i++) {
		items[listing->count] = calloc(1, sizeof **items);
		if (!items[listing->count])
			return -ENOMEM;
		to_public(container, forwards->items + i, sizeof **items, items[listing->count++]);
	}
	items[listing->count] = NULL;
	return 0;
}

static int list_one(struct lb_context *ctx, const char *container, struct listing *listing)
{
	CLEANUP_FREE char *path = store_path(ctx, STORE_CONTAINERS "/%s", container);
	CLEANUP_FD int fd = -1;
	struct record record = { 0 };
	int r = path ? name_check(ctx, "container", container) : fail_memory(ctx);

	if (r < 0)
		return r;
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = record_read(ctx, fd, container, &record);
	if (r == 0 && list_record(listing, container, &record.forwards) < 0)
		r = fail_memory(ctx);
	record_free(&record);
	return r;
}

static int list_all(struct lb_context *ctx, struct listing *listing)
{
	static const struct forward_list none;
	struct record_entry *entries = NULL;
	size_t count = 0;
	int r = record_list_all(ctx, false, &entries, &count), s = 0;

	if (r < 0)
		return r;
	s = list_record(listing, "", &none);
	for (size_t i = 0; s == 0 && i < count; i++)
		s = list_record(listing, entries[i].name, &entries[i].record.forwards);
	record_list_free(entries, count);
	return s < 0 ? fail_memory(ctx) : 0;
}

int lb_forward_list(struct lb_context *ctx, const char *container, struct lb_forward ***ret_forwards, size_t *ret_count)
{
	struct listing listing = { 0 };
	int r = store_open(ctx);

	if (r == 0)
		r = container ? list_one(ctx, container, &listing) : list_all(ctx, &listing);
	if (r < 0) {
		lb_forward_list_free(listing.items);
		return r;
	}
	*ret_forwards = listing.items;
	if (ret_count)
		*ret_count = listing.count;
	return 0;
}

void lb_forward_list_free(struct lb_forward **forwards)
{
	for (struct lb_forward **forward = forwards; forward && *forward; forward++)
		free(*forward);
	free(forwards);
}
