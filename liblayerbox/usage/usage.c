/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "usage.h"

#include "../adapters/process-time.h"
#include "../container/uplink.h"

int usage_source_open(struct lb_context *ctx, struct usage_source *ret_source)
{
	struct usage_source source = { .sizes.containers_fd = -1 };
	int r = cgroup_meters_open(ctx, &source.meters);

	if (r < 0)
		return r;
	r = link_stats_load(ctx, &source.links);
	if (r == 0)
		r = layer_sizes_load(ctx, &source.sizes);
	if (r < 0) {
		usage_source_close(&source);
		return r;
	}
	source.booted = host_boot_time();
	*ret_source = source;
	return 0;
}

void usage_source_close(struct usage_source *source)
{
	cgroup_meters_close(&source->meters);
	link_stats_free(&source->links);
	layer_sizes_free(&source->sizes);
}

static void take_cgroups(const struct cgroup_usage *taken, struct lb_usage *usage)
{
	usage->cpu_us = taken->cpu_us;
	usage->memory_bytes = taken->memory_bytes;
	usage->memory_peak_bytes = taken->memory_peak;
	usage->memory_limit_bytes = taken->memory_limit;
	/* Both are read one after the other. */
	usage->memory_working_bytes = taken->memory_bytes;
	if (taken->memory_bytes != CGROUP_UNKNOWN && taken->memory_inactive != CGROUP_UNKNOWN)
		usage->memory_working_bytes =
			taken->memory_bytes > taken->memory_inactive ? taken->memory_bytes - taken->memory_inactive : 0;
	usage->processes = taken->processes;
	usage->processes_limit = taken->processes_limit;
	usage->io_read_bytes = taken->read_bytes;
	usage->io_written_bytes = taken->written_bytes;
	usage->io_reads = taken->reads;
	usage->io_writes = taken->writes;
}

/* What the host's end of its veth has received is what the container has sent. */
static void take_network(const struct link_stats *port, struct lb_usage *usage)
{
	usage->received_bytes = port->sent.bytes;
	usage->received_packets = port->sent.packets;
	usage->received_errors = port->sent.errors;
	usage->received_dropped = port->sent.dropped;
	usage->sent_bytes = port->received.bytes;
	usage->sent_packets = port->received.packets;
	usage->sent_errors = port->received.errors;
	usage->sent_dropped = port->received.dropped;
}

int usage_read(struct usage_source *source, struct lb_container *container, struct lb_usage *ret_usage)
{
	const struct layer_size *size = layer_sizes_find(&source->sizes, container->name);
	const struct link_stats *port;
	struct cgroup_usage taken;
	char name[PORT_NAME_SIZE];
	struct lb_usage usage;
	pid_t pid = lb_container_get_pid(container);

	memset(&usage, 0xff, sizeof usage);
	usage.size = sizeof usage;
	usage.top_layer_bytes = size ? size->bytes : LB_USAGE_UNKNOWN;
	usage.top_layer_measured = size ? size->measured : 0;
	usage.started = process_start_time(pid, source->booted);
	if (pid) {
		cgroup_usage_read(&source->meters, pid, &taken);
		take_cgroups(&taken, &usage);
		uplink_name(container->ctx, &container->record, name);
		port = link_stats_find(&source->links, name);
		if (port)
			take_network(port, &usage);
	}
	*ret_usage = usage;
	return pid ? 0 : 1;
}

int lb_container_get_usage(struct lb_container *container, struct lb_usage *ret_usage)
{
	struct lb_context *ctx = container->ctx;
	struct usage_source source;
	size_t size = ret_usage->size;
	int r = CHECK_INPUT(ctx, ret_usage, lb_usage);

	if (r == 0)
		r = usage_source_open(ctx, &source);
	if (r < 0)
		return r;
	r = usage_read(&source, container, ret_usage);
	ret_usage->size = size;
	usage_source_close(&source);
	return r;
}

int lb_usage_list(struct lb_context *ctx, struct lb_container *const *containers, lb_usage_fn fn, void *userdata)
{
	struct usage_source source;
	struct lb_usage usage;
	int r = usage_source_open(ctx, &source);

	if (r < 0)
		return r;
	for (; *containers; containers++) {
		usage_read(&source, *containers, &usage);
		fn(*containers, &usage, userdata);
	}
	usage_source_close(&source);
	return 0;
}
