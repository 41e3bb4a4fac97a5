/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics of what containers share: the disk that holds the root, networks, bases. */
#include "metrics.h"

#include <stdio.h>
#include <sys/statvfs.h>

#include "../adapters/link.h"
#include "../base/base.h"
#include "../network/settings.h"

static void warn(struct lb_context *ctx, const char *what, const char *name)
{
	log_message(ctx, LB_LOG_WARNING, "metrics are without %s%s: %s", what, name, ctx->error);
}

/* ---- disk ---- */

static void add_disk(struct lb_context *ctx, struct metrics_text *text)
{
	static const struct metric_family size = { "layerbox_root_size_bytes", METRIC_GAUGE, "bytes",
						   "The file system that holds the root" };
	static const struct metric_family free = { "layerbox_root_free_bytes", METRIC_GAUGE, "bytes",
						   "What is free of it, without what only root of the host may use" };
	static const struct metric_family files = { "layerbox_root_files", METRIC_GAUGE, NULL,
						    "How many files the file system of the root can hold" };
	static const struct metric_family files_free = { "layerbox_root_files_free", METRIC_GAUGE, NULL,
							 "How many files more it can hold" };
	struct statvfs fs;

	if (statvfs(ctx->config.root, &fs) < 0) {
		fail_errno(ctx, errno, "cannot look at %s", ctx->config.root);
		warn(ctx, "the disk", "");
		return;
	}
	metrics_one(text, &size, (uint64_t)fs.f_blocks * fs.f_frsize);
	metrics_one(text, &free, (uint64_t)fs.f_bavail * fs.f_frsize);
	if (!fs.f_files) /* file systems that have no such limit */
		return;
	metrics_one(text, &files, fs.f_files);
	metrics_one(text, &files_free, fs.f_favail);
}

/* ---- networks ---- */

struct network {
	const char *name;
	bool has_pool;
	struct lb_lease_pool pool;
};

static void add_pools(const struct network *networks, size_t count, struct metrics_text *text)
{
	static const struct metric_family families[] = {
		{ "layerbox_network_addresses", METRIC_GAUGE, NULL, "Addresses that containers on a network can have" },
		{ "layerbox_network_addresses_used", METRIC_GAUGE, NULL, "Addresses that containers have" },
		{ "layerbox_network_addresses_foreign", METRIC_GAUGE, NULL,
		  "Addresses that are leased to somebody who is no container" },
		{ "layerbox_network_addresses_quarantined", METRIC_GAUGE, NULL,
		  "Addresses that rest since they were given back, or are used by a stranger" },
		{ "layerbox_network_addresses_free", METRIC_GAUGE, NULL, "Addresses that new containers can have" },
	};

	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		metrics_begin(text, &families[i]);
		for (size_t k = 0; k < count; k++) {
			const struct lb_lease_pool *pool = &networks[k].pool;
			const unsigned numbers[] = { pool->addresses, pool->used, pool->foreign, pool->quarantined,
						     pool->free };

			if (networks[k].has_pool)
				metrics_add(text, numbers[i], METRIC_LABELS({ "network", networks[k].name }));
		}
	}
}

static void add_networks(struct lb_context *ctx, struct metrics_text *text)
{
	static const struct metric_family up = { "layerbox_network_up", METRIC_GAUGE, NULL,
						 "Whether a network's bridge is there and up" };
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FREE struct network *networks = NULL;
	int r = network_settings_list(ctx, &names);

	networks = r < 0 ? NULL : calloc(names.count + 1, sizeof *networks);
	if (!networks) {
		warn(ctx, "networks", "");
		return;
	}
	metrics_begin(text, &up);
	for (size_t i = 0; i < names.count; i++) {
		networks[i].name = names.items[i];
		networks[i].pool.size = sizeof networks[i].pool;
		networks[i].has_pool = lb_lease_get_pool(ctx, names.items[i], &networks[i].pool) == 0;
		if (!networks[i].has_pool)
			warn(ctx, "addresses of network ", names.items[i]);
		metrics_add(text, link_is_up(names.items[i]) == 1, METRIC_LABELS({ "network", names.items[i] }));
	}
	add_pools(networks, names.count, text);
}

/* ---- bases ---- */

static void bases_free(struct lb_base ***bases)
{
	lb_base_list_free(*bases);
}

/* As lb_base_list(), but without looking through all containers for the users of each. */
static struct lb_base **open_bases(struct lb_context *ctx)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	struct lb_base **bases;
	size_t count = 0;

	if (base_list_names(ctx, &names) < 0) {
		warn(ctx, "bases", "");
		return NULL;
	}
	bases = calloc(names.count + 1, sizeof *bases);
	for (size_t i = 0; bases && i < names.count; i++) {
		if (base_open(ctx, names.items[i], &bases[count]) == 0)
			count++;
		else
			warn(ctx, "base ", names.items[i]);
	}
	return bases;
}

static void add_bases(struct lb_context *ctx, struct metrics_text *text)
{
	static const struct metric_family info = { "layerbox_base", METRIC_INFO, NULL, "What a base is" };
	static const struct metric_family generation = { "layerbox_base_generation", METRIC_GAUGE, NULL,
							 "The newest generation of a base" };
	static const struct metric_family created = { "layerbox_base_created_time_seconds", METRIC_GAUGE, "seconds",
						      "When that was sealed, seconds since the epoch" };
	static const struct metric_family bytes = { "layerbox_base_size_bytes", METRIC_GAUGE, "bytes",
						    "Disk space of its tree" };
	CLEANUP(bases_free) struct lb_base **bases = open_bases(ctx);

	metrics_begin(text, &info);
	for (size_t i = 0; bases && bases[i]; i++)
		metrics_add(text, 1,
			    METRIC_LABELS({ "base", bases[i]->name }, { "recipe", bases[i]->record.recipe },
					  { "os", bases[i]->record.os }, { "parent", bases[i]->record.parent }));
	metrics_begin(text, &generation);
	for (size_t i = 0; bases && bases[i]; i++)
		metrics_add(text, bases[i]->generation, METRIC_LABELS({ "base", bases[i]->name }));
	metrics_begin(text, &created);
	for (size_t i = 0; bases && bases[i]; i++)
		metrics_add(text, (uint64_t)bases[i]->record.created, METRIC_LABELS({ "base", bases[i]->name }));
	metrics_begin(text, &bytes);
	for (size_t i = 0; bases && bases[i]; i++)
		metrics_add(text, bases[i]->record.bytes, METRIC_LABELS({ "base", bases[i]->name }));
}

void metrics_add_host(struct lb_context *ctx, struct metrics_text *text)
{
	add_disk(ctx, text);
	add_networks(ctx, text);
	add_bases(ctx, text);
}
