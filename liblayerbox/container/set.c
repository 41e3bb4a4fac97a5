/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing a container's settings, on disk and, for limits and its link to the network, while it runs. */
#include <net/if.h>
#include <stdio.h>

#include "../adapters/cgroup.h"
#include "../adapters/rights.h"
#include "../adapters/runtime.h"
#include "../boot/after.h"
#include "../core/store.h"
#include "../events/event.h"
#include "../network/guests.h"
#include "bind-mount.h"
#include "container.h"
#include "next.h"
#include "render.h"
#include "settings.h"
#include "uplink.h"

static const struct setting_key *find_key(struct lb_context *ctx, const char *name)
{
	CLEANUP_BUFFER struct buffer known = { 0 };
	const struct setting_key *key = settings_find(name);

	if (key)
		return key;
	for (key = settings_keys(); key->name; key++)
		buffer_format(&known, "%s, ", key->name);
	buffer_add_text(&known, BIND_PREFIX "NAME");
	fail(ctx, -LB_ERR_BAD_VALUE, "there is no key \"%.60s\"; the keys are %s", name, known.data ? known.data : "");
	return NULL;
}

static uint64_t amount_of(const struct limits *limits, enum cgroup_controller controller)
{
	return controller == CGROUP_MEMORY ? limits->memory_bytes :
	       controller == CGROUP_CPU	   ? limits->cpu_millis :
					     limits->pids;
}

static const enum cgroup_controller controllers[] = { CGROUP_MEMORY, CGROUP_CPU, CGROUP_PIDS };

/* Applies what differs between @before and @after to the running container. */
static int apply_limits(struct lb_context *ctx, const char *name, const struct limits *before,
			const struct limits *after, const struct cgroup_layout *layout)
{
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);

	if (!lxcpath)
		return fail_memory(ctx);
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++) {
		struct cgroup_item items[2];
		int n;

		if (amount_of(before, controllers[i]) == amount_of(after, controllers[i]))
			continue;
		n = cgroup_limit_items(layout, controllers[i], amount_of(after, controllers[i]), items);
		for (int k = 0; k < n; k++) {
			int r = runtime_set_cgroup(ctx, lxcpath, name, items[k].key, items[k].value);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int require_controllers(struct lb_context *ctx, const struct limits *limits, const struct cgroup_layout *layout)
{
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
		if (amount_of(limits, controllers[i]) && !layout->version[controllers[i]])
			return fail(ctx, -LB_ERR_KERNEL,
				    "this host cannot limit that: it has no cgroup controller `%s` (see "
				    "/sys/fs/cgroup/cgroup.controllers)",
				    cgroup_controller_name(controllers[i]));
	return 0;
}

static int no_port(struct lb_context *ctx, const char *name, const char *port)
{
	return fail(ctx, -LB_ERR_NETWORK,
		    "container '%s' runs without the interface %s: it was started by an older layerbox, or with a "
		    "template of "
		    "your own; stop it, set this, and start it again",
		    name, port);
}

/* Sets what @record says where the running container is linked to its network. */
static int apply_uplink(struct lb_context *ctx, const char *name, const struct record *before,
			const struct record *record)
{
	char port[PORT_NAME_SIZE];
	int r;

	uplink_name(ctx, record, port);
	if (!if_nametoindex(port))
		return no_port(ctx, name, port);
	r = uplink_apply(ctx, port, record);
	if (r == 0 && uplink_needs_hook(ctx, record) && !uplink_needs_hook(ctx, before))
		log_message(ctx, LB_LOG_WARNING,
			    "container '%s' was started without this: it holds now and after each start, but a reboot "
			    "from "
			    "inside would lose it; `layerbox restart %s` makes it last",
			    name, name);
	return r;
}

/* A running container follows a changed setting, and may refuse it. */
static int apply_running(struct lb_container *container, const struct setting_key *key, const struct record *record,
			 const struct cgroup_layout *layout)
{
	const struct record *before = &container->record;

	if (key->is_limit)
		return apply_limits(container->ctx, container->name, &before->limits, &record->limits, layout);
	return key->is_uplink ? apply_uplink(container->ctx, container->name, before, record) : 0;
}

/* The firewall follows what is written: a rule that does not hold must not be thought to. */
static int write_with_firewall(struct lb_context *ctx, const char *name, int directory_fd, const struct record *record)
{
	struct record before = { 0 };
	int r = record_read(ctx, directory_fd, name, &before);

	if (r == 0)
		r = record_write(ctx, directory_fd, name, record);
	if (r == 0)
		r = guests_change(ctx, name, &before, name, record);
	record_free(&before);
	return r < 0 ? r : 0;
}

/* What cannot be mounted is refused while somebody looks, and not at the next start. */
static int require_source(struct lb_context *ctx, const struct bind *bind)
{
	CLEANUP_FD int fd = -1;

	return bind ? bind_open_source(ctx, bind, &fd) : 0;
}

/* Writes the changed record and what is made from it; a running container follows first, since it may refuse. */
static int commit(struct lb_container *container, int directory_fd, struct record *record,
		  const struct setting_key *key, const char *name)
{
	struct lb_context *ctx = container->ctx;
	CLEANUP(cgroup_layout_free) struct cgroup_layout layout = { 0 };
	int r = 0, stopped = container_is_stopped(ctx, container->name);

	if (stopped < 0)
		return stopped;
	if (key->is_limit) {
		r = cgroup_layout_load(ctx, &layout);
		if (r == 0)
			r = require_controllers(ctx, &record->limits, &layout);
	}
	if (r == 0)
		r = require_source(ctx, bind_list_find(&record->binds, name));
	if (r == 0 && !stopped)
		r = apply_running(container, key, record, &layout);
	if (r == 0 && key->is_firewall)
		r = write_with_firewall(ctx, container->name, directory_fd, record);
	else if (r == 0)
		r = record_write(ctx, directory_fd, container->name, record);
	if (r == 0 && !stopped && key->at_start)
		log_message(ctx, LB_LOG_INFO,
			    "container '%s' runs as it was started: %s takes effect with `layerbox restart %s`",
			    container->name, name, container->name);
	if (r < 0 || !(key->is_limit || key->is_uplink))
		return r;
	r = render_config(ctx, directory_fd, container->name, record);
	return r < 0 ? r : 0;
}

static int change(struct lb_container *container, const char *key_name, const char *value)
{
	struct lb_context *ctx = container->ctx;
	const struct setting_key *key = find_key(ctx, key_name);
	CLEANUP_FD int root_lock = -1;
	CLEANUP_FD int directory_fd = -1;
	CLEANUP_FREE char *before = NULL;
	CLEANUP_FREE char *after = NULL;
	struct record record = { 0 };
	char shown[96];
	const char *why;
	int r;

	if (!key)
		return -LB_ERR_BAD_VALUE;
	r = rights_require_root(ctx);
	if (r < 0)
		return r;
	directory_fd = key->is_order ? container_lock_with_root(ctx, container->name, &root_lock) :
				       container_lock(ctx, container->name);
	if (directory_fd < 0)
		return directory_fd;
	r = record_read(ctx, directory_fd, container->name, &record);
	if (r < 0)
		return r;
	container->record.limits = record.limits;
	container->record.uplink = record.uplink;
	before = settings_get(&record, key_name);
	why = settings_set(&record, key_name, value);
	after = settings_get(&record, key_name);
	snprintf(shown, sizeof shown, "%.80s", value);
	if (why)
		r = fail(ctx, -LB_ERR_BAD_VALUE, "%s cannot be \"%s\": it %s", key_name, text_printable(shown), why);
	else if (!before || !after)
		r = fail_memory(ctx);
	else if (text_equal(before, after))
		r = 1;
	else if (key->is_order)
		r = after_check(ctx, container->name, after);
	if (r == 0)
		r = commit(container, directory_fd, &record, key, key_name);
	if (r < 0) {
		record_free(&record);
		return r;
	}
	record_free(&container->record);
	container->record = record;
	return r;
}

int lb_container_set(struct lb_container *container, const char *key_name, const char *value)
{
	return event_of(container->ctx, "set", container->name, change(container, key_name, value), key_name);
}

int lb_container_get(struct lb_container *container, const char *key_name, char **ret_value)
{
	char *value;

	if (!find_key(container->ctx, key_name))
		return -LB_ERR_BAD_VALUE;
	value = settings_get(&container->record, key_name);
	if (!value)
		return fail_memory(container->ctx);
	*ret_value = value;
	return 0;
}

const char *lb_container_setting(const struct lb_container *container, size_t index)
{
	return settings_name(&container->record, index);
}
