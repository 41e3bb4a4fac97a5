/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "../adapters/sysctl.h"
#include "../container/record.h"
#include "examination.h"
#include "host-limits.h"

/* Is a wall too near for so many containers? */
static void examine_limit(struct examination *examination, const struct host_limit *limit, size_t containers)
{
	uint64_t present, needed = host_limit_needed(limit, containers);
	char name[128], problem[512], remedy[256];

	if (!sysctl_read(limit->key, &present) || present >= needed)
		return;
	host_limit_name(limit, name, sizeof name);
	snprintf(problem, sizeof problem, "%s is %llu, and %zu containers may need %llu: %s", name,
		 (unsigned long long)present, containers, (unsigned long long)needed, limit->why);
	if (needed <= limit->shipped)
		snprintf(remedy, sizeof remedy, "sysctl -p %s/40-layerbox.conf, as the next boot does it", SYSCTLDIR);
	else
		snprintf(remedy, sizeof remedy, "set it to %llu in a file of your own in /etc/sysctl.d",
			 (unsigned long long)needed);
	found(examination->findings, false, "host", problem, remedy);
}

/* @identities: all containers. Tells of each network once, with its first container. */
static void examine_ports(struct examination *examination, const struct record_identity *identities, size_t count,
			  size_t first)
{
	const char *network = identities[first].identity.network;
	char subject[64], problem[160];
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (!text_equal(identities[i].identity.network, network))
			continue;
		if (i < first)
			return;
		n++;
	}
	if (n <= BRIDGE_PORTS_MAX)
		return;
	snprintf(subject, sizeof subject, "network %s", *network ? network : examination->ctx->config.bridge);
	snprintf(problem, sizeof problem, "%zu containers are on it, and a bridge has %d ports: not all can run", n,
		 BRIDGE_PORTS_MAX);
	found(examination->findings, false, subject, problem,
	      "make new ones on another network: `layerbox net create`");
}

void examine_limits(struct examination *examination, size_t containers)
{
	CLEANUP_FREE struct record_identity *identities = NULL;
	const struct host_limit *limit;
	size_t count = 0;

	for (size_t i = 0; (limit = host_limit_at(i)); i++)
		examine_limit(examination, limit, containers);
	if (containers <= BRIDGE_PORTS_MAX ||
	    record_list_identities(examination->ctx, false, &identities, &count) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		examine_ports(examination, identities, count, i);
}
