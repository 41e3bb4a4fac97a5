/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-names.h"

#include <limits.h>

#include "../adapters/dnsmasq.h"
#include "../adapters/hosts-file.h"
#include "../adapters/lxc-net.h"
#include "../adapters/resolved.h"
#include "../container/record.h"
#include "../core/lock.h"

/* The block's entries and what their texts are kept in. */
struct names {
	struct record_identity *records;
	struct text_list aliases;     /* NAME.DOMAIN, in the records' order */
	struct hosts_entry *entries;
	size_t count;
};

static void names_free(struct names *names)
{
	free(names->records);
	text_list_free(&names->aliases);
	free(names->entries);
}

#define CLEANUP_NAMES CLEANUP(names_free)

/* Names that mean the host itself, in its files or not. */
static bool is_hosts_own(const char *name)
{
	char own[HOST_NAME_MAX + 1] = "";

	(void)gethostname(own, sizeof own - 1);
	own[strcspn(own, ".")] = '\0';
	return text_equal(name, "localhost") || text_equal(name, own);
}

static int gather(struct lb_context *ctx, struct names *names)
{
	int r;

	if (ctx->config.host_names != HOST_NAMES_FILE)
		return 0;
	r = record_list_identities(ctx, true, &names->records, &names->count);
	if (r < 0)
		return r;
	names->entries = calloc(names->count + 1, sizeof *names->entries);
	if (!names->entries)
		return fail_memory(ctx);
	for (size_t i = 0; i < names->count; i++) {
		const struct record_identity *record = names->records + i;

		if (text_list_format(&names->aliases, "%s.%s", record->name, ctx->config.domain) < 0)
			return fail_memory(ctx);
		names->entries[i] = (struct hosts_entry){
			.address = record->identity.ipv4,
			.names = { is_hosts_own(record->name) ? NULL : record->name, names->aliases.items[i] },
		};
	}
	return 0;
}

static struct hosts_block block_of(struct lb_context *ctx, const struct names *names)
{
	return (struct hosts_block){ .root = ctx->config.root, .entries = names->entries, .count = names->count };
}

int host_names_check(struct lb_context *ctx)
{
	CLEANUP_NAMES struct names names = { 0 };
	struct hosts_block block;
	int r = gather(ctx, &names);

	block = block_of(ctx, &names);
	return r < 0 ? r : hosts_file_has(ctx, HOSTS_FILE, &block);
}

int host_names_sync(struct lb_context *ctx)
{
	CLEANUP_NAMES struct names names = { 0 };
	CLEANUP_FD int lock = lock_host_file(ctx, HOSTS_FILE);
	struct hosts_block block;
	int r;

	if (lock < 0)
		return lock;
	/* Read behind the lock: whoever comes last has seen the changes of all before, and writes what is true. */
	r = gather(ctx, &names);
	block = block_of(ctx, &names);
	if (r == 0)
		r = hosts_file_put(ctx, HOSTS_FILE, &block);
	/* Unlike layerbox's own, lxc-net's dnsmasq reads the host's file, and would answer with what it was. */
	if (r == 0 && dnsmasq_reload(ctx, LXC_NET_PID_FILE) < 0)
		log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
	return r;
}

void host_names_follow(struct lb_context *ctx)
{
	if (ctx->config.host_names == HOST_NAMES_FILE && host_names_sync(ctx) < 0)
		log_message(ctx, LB_LOG_WARNING, "the names of the containers in " HOSTS_FILE " are not up to date: %s",
			    ctx->error);
}

static struct resolved_link link_of(struct lb_context *ctx, const char *bridge, const char *gateway)
{
	return (struct resolved_link){ .interface = bridge, .server = gateway, .domain = ctx->config.domain };
}

int host_names_check_bridge(struct lb_context *ctx, const char *bridge, const char *gateway)
{
	const struct resolved_link link = link_of(ctx, bridge, gateway);

	return ctx->config.host_names == HOST_NAMES_RESOLVED ? resolved_has(ctx, &link) : 1;
}

int host_names_sync_bridge(struct lb_context *ctx, const char *bridge, const char *gateway)
{
	const struct resolved_link link = link_of(ctx, bridge, gateway);

	return ctx->config.host_names == HOST_NAMES_RESOLVED ? resolved_put(ctx, &link) : 1;
}
