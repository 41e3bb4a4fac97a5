/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ports of the host given to containers and taken back. Who may have which is decided under the root's lock. */
#include "../adapters/host-port.h"
#include "../adapters/rights.h"
#include "../network/guests.h"
#include "container.h"
#include "next.h"

static int from_public(struct lb_context *ctx, const struct lb_forward *public, struct forward *ret_forward)
{
	struct forward forward = { .udp = public->protocol == LB_PROTOCOL_UDP,
				   .port = public->port,
				   .target_port = public->target_port };
	const char *why;

	if (public->protocol != LB_PROTOCOL_TCP && public->protocol != LB_PROTOCOL_UDP)
		return fail(ctx, -EINVAL, "a forward's protocol must be TCP or UDP");
	if (!forward.port)
		return fail(ctx, -LB_ERR_BAD_VALUE, "a forward needs a port from 1 to 65535");
	if (!memchr(public->listen, '\0', sizeof public->listen))
		return fail(ctx, -EINVAL, "a forward's listening address has no end");
	why = forward_parse_listen(public->listen, forward.listen);
	if (why)
		return fail(ctx, -LB_ERR_BAD_VALUE, "cannot listen on \"%s\": it %s", public->listen, why);
	*ret_forward = forward;
	return 0;
}

/* As people write it, for sentences: 8883/tcp or 192.0.2.1:8883/tcp. */
static void port_text(const struct forward *forward, char *text, size_t size)
{
	bool is_ipv6 = strchr(forward->listen, ':');

	snprintf(text, size, "%s%s%s%s%u/%s", is_ipv6 ? "[" : "", forward->listen, is_ipv6 ? "]" : "",
		 *forward->listen ? ":" : "", forward->port, forward_protocol(forward));
}

/* ---------------------------------------------------------------------------------------- who has which port */

static int is_taken(struct lb_context *ctx, const char *container, const struct forward *by)
{
	char port[80];

	port_text(by, port, sizeof port);
	return fail(ctx, -LB_ERR_EXISTS,
		    "port %s of the host leads to port %u of container '%s' already; remove that first: `layerbox "
		    "forward "
		    "remove %s %s`",
		    port, by->target_port, container, container, port);
}

static int refuse_taken_by_container(struct lb_context *ctx, const struct forward *forward)
{
	struct record_entry *entries = NULL;
	size_t count = 0;
	int r = record_list_all(ctx, true, &entries, &count);

	if (r < 0)
		return fail_wrap(ctx, r, "which ports are taken cannot be known");
	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct forward_list *list = &entries[i].record.forwards;

		for (size_t j = 0; r == 0 && j < list->count; j++)
			if (forward_overlaps(list->items + j, forward))
				r = is_taken(ctx, entries[i].name, list->items + j);
	}
	record_list_free(entries, count);
	return r;
}

static int refuse_taken_by_host(struct lb_context *ctx, const struct forward *forward)
{
	CLEANUP_FREE char *where = NULL;
	int r = host_port_find(ctx, forward->udp, forward->listen, forward->port, &where);

	if (r <= 0)
		return r;
	return fail(ctx, -LB_ERR_EXISTS,
		    "a program of this host listens on %s (%s) already; choose another port, or stop that program: `ss "
		    "-l%cnp "
		    "sport = %u` shows it",
		    where, forward_protocol(forward), *forward_protocol(forward), forward->port);
}

static int refuse_impossible(struct lb_context *ctx, const struct record *record, const char *container,
			     const struct forward *forward)
{
	CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };
	int r;

	if (record->forwards.count >= FORWARDS_MAX)
		return fail(ctx, -LB_ERR_EXHAUSTED, "container '%s' has %d forwards, the most it can have", container,
			    FORWARDS_MAX);
	if (!strchr(forward->listen, ':'))
		return 0;
	r = network_plan_make(ctx, record->identity.network, &plan);
	if (r == 0 && !*plan.settings.ipv6)
		r = fail(ctx, -LB_ERR_BAD_VALUE,
			 "container '%s' has no IPv6 address that [%s]:%u could lead to; `layerbox net set %s "
			 "ipv6=auto` gives "
			 "its network one",
			 container, forward->listen, forward->port, plan.bridge);
	return r;
}

/* ---------------------------------------------------------------------------------------------- add, remove */

/* Puts @forward into the record's list: 1 when it is there already. */
static int add(struct lb_context *ctx, const char *container, struct record *record, struct forward *forward)
{
	int r;

	if (!forward->target_port)
		forward->target_port = forward->port;
	for (size_t i = 0; i < record->forwards.count; i++)
		if (forward_equal(record->forwards.items + i, forward))
			return 1;
	r = refuse_taken_by_container(ctx, forward);
	if (r == 0)
		r = refuse_taken_by_host(ctx, forward);
	if (r == 0)
		r = refuse_impossible(ctx, record, container, forward);
	if (r == 0 && forward_list_add(&record->forwards, forward) < 0)
		r = fail_memory(ctx);
	return r;
}

static bool is_meant(const struct forward *present, const struct forward *forward)
{
	struct forward wanted = *forward;

	if (!wanted.target_port)
		wanted.target_port = present->target_port;
	return forward_equal(present, &wanted);
}

static int take(struct lb_context *ctx, const char *container, struct record *record, struct forward *forward)
{
	char port[80];

	for (size_t i = 0; i < record->forwards.count; i++) {
		if (!is_meant(record->forwards.items + i, forward))
			continue;
		forward_list_remove(&record->forwards, i);
		return 0;
	}
	port_text(forward, port, sizeof port);
	return fail(ctx, -LB_ERR_BAD_VALUE,
		    "container '%s' has no such forward of port %s; `layerbox forward list %s` shows those it has",
		    container, port, container);
}

/* Changes the record by @work, and has the firewall follow. */
static int edit(struct lb_context *ctx, const struct lb_forward *public, int directory_fd,
		int (*work)(struct lb_context *ctx, const char *container, struct record *record,
			    struct forward *forward))
{
	struct record before = { 0 }, after = { 0 };
	struct forward forward;
	int r = from_public(ctx, public, &forward);

	if (r == 0)
		r = record_read(ctx, directory_fd, public->container, &before);
	if (r == 0)
		r = record_read(ctx, directory_fd, public->container, &after);
	if (r == 0)
		r = work(ctx, public->container, &after, &forward);
	if (r == 0)
		r = record_write(ctx, directory_fd, public->container, &after);
	if (r == 0) {
		r = guests_change(ctx, public->container, &before, public->container, &after);
		r = r < 0 ? fail_wrap(ctx, r, "it is noted, but the firewall does not follow") : 0;
	}
	record_free(&before);
	record_free(&after);
	return r;
}

static int lock_and_edit(struct lb_context *ctx, const struct lb_forward *public,
			 int (*work)(struct lb_context *ctx, const char *container, struct record *record,
				     struct forward *forward))
{
	CLEANUP_FD int root_lock = -1;
	CLEANUP_FD int directory_fd = -1;
	int r = CHECK_INPUT(ctx, public, lb_forward);

	if (r == 0 && !memchr(public->container, '\0', sizeof public->container))
		r = fail(ctx, -EINVAL, "a forward's container has no end");
	if (r == 0)
		r = name_check(ctx, "container", public->container);
	if (r == 0)
		r = rights_require_root(ctx);
	if (r < 0)
		return r;
	directory_fd = container_lock_with_root(ctx, public->container, &root_lock);
	return directory_fd < 0 ? directory_fd : edit(ctx, public, directory_fd, work);
}

int lb_forward_add(struct lb_context *ctx, const struct lb_forward *forward)
{
	return lock_and_edit(ctx, forward, add);
}

int lb_forward_remove(struct lb_context *ctx, const struct lb_forward *forward)
{
	return lock_and_edit(ctx, forward, take);
}
