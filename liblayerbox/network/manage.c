/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks as an operator sees them: made, changed, listed, brought up and taken down, one or all. */
#include <fcntl.h>
#include <sys/stat.h>

#include "../adapters/host-address.h"
#include "../adapters/rights.h"
#include "../container/record.h"
#include "../container/uplink.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../util/tree.h"
#include "guests.h"
#include "host-names.h"
#include "ipv6-host.h"
#include "plan.h"
#include "port.h"
#include "up.h"

/* Calls @work for the network of that name or, with NULL, for each; 1 where none had anything to do. */
static int for_each(struct lb_context *ctx, const char *name, int (*work)(struct lb_context *ctx, const char *name))
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int lock = -1;
	int all = 1, r = rights_require_root(ctx);

	if (r < 0)
		return r;
	lock = lock_root(ctx);
	if (lock < 0)
		return lock;
	if (name)
		return work(ctx, name);
	r = network_settings_list(ctx, &names);
	for (size_t i = 0; r >= 0 && i < names.count; i++) {
		r = work(ctx, names.items[i]);
		all = all && r;
	}
	return r < 0 ? r : all;
}

/* The network is up, whatever becomes of the host's names for its containers. */
static int up_with_names(struct lb_context *ctx, const char *name)
{
	char gateway[IPV4_TEXT_SIZE];
	int r = network_up_locked(ctx, name), names;

	if (r < 0)
		return r;
	names = address_gateway(ctx, name, gateway);
	if (names == 0)
		names = host_names_sync_bridge(ctx, name, gateway);
	if (names < 0)
		log_message(ctx, LB_LOG_WARNING, "the host does not know its containers by name: %s", ctx->error);
	return r && names;
}

int lb_network_up(struct lb_context *ctx, const char *name)
{
	int r = for_each(ctx, name, up_with_names), names;

	if (r < 0)
		return r;
	names = host_names_sync(ctx);
	if (names < 0)
		log_message(ctx, LB_LOG_WARNING, "the host's names of containers are not as they should be: %s",
			    ctx->error);
	return r && names;
}

int lb_network_down(struct lb_context *ctx, const char *name)
{
	return for_each(ctx, name, network_down_locked);
}

int lb_network_list(struct lb_context *ctx, char ***ret_names)
{
	struct text_list names = { 0 };
	int r = network_settings_list(ctx, &names);

	if (r < 0)
		return r;
	*ret_names = names.items;
	return 0;
}

void lb_network_list_free(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

/* ------------------------------------------------------------------------------------ make and delete */

static bool overlap(const struct subnet *a, const struct subnet *b)
{
	return a->network <= subnet_broadcast(b) && b->network <= subnet_broadcast(a);
}

/* Two networks of one host with the same addresses would be told apart by nobody. */
static int refuse_overlap(struct lb_context *ctx, const struct network_settings *settings)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FREE char *where = NULL;
	struct subnet subnet;
	int r = network_settings_list(ctx, &names);

	if (r < 0)
		return r;
	if (subnet_parse(settings->subnet, &subnet))
		return fail(ctx, -LB_ERR_BAD_VALUE, "a network needs a subnet such as 10.0.4.0/24: --subnet");
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP_NETWORK_PLAN struct network_plan plan = { 0 };

		if (text_equal(names.items[i], settings->name))
			continue;
		r = network_plan_make(ctx, names.items[i], &plan);
		if (r < 0)
			return r;
		if (overlap(&subnet, &plan.subnet))
			return fail(ctx, -LB_ERR_BAD_VALUE, "the subnet %s overlaps that of network %s; choose another",
				    settings->subnet, plan.bridge);
	}
	r = host_address_find(ctx, subnet.network, subnet.prefix, settings->name, &where);
	if (r <= 0)
		return r;
	return fail(ctx, -LB_ERR_BAD_VALUE, "the subnet %s is in use on this host already: %s; choose another",
		    settings->subnet, where);
}

/* Of two networks with one beginning of their ports' names, each would have its rules for the other's ports, too. */
static int refuse_prefix(struct lb_context *ctx, const char *name)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	char own[PORT_PREFIX_SIZE], other[PORT_PREFIX_SIZE];
	int r = network_settings_list(ctx, &names);

	port_prefix(name, own);
	for (size_t i = 0; r >= 0 && i < names.count; i++) {
		port_prefix(names.items[i], other);
		if (text_equal(own, other))
			return fail(ctx, -LB_ERR_NETWORK,
				    "the ports of a network '%s' would have names like those of network %s, %s...; "
				    "choose another name",
				    name, names.items[i], other);
	}
	return r < 0 ? r : 0;
}

static int check_new(struct lb_context *ctx, const struct network_settings *settings)
{
	struct network_settings present;
	struct link_state link;
	int r = network_settings_load(ctx, settings->name, &present);

	if (r == 0)
		return fail(ctx, -LB_ERR_EXISTS, "there is a network '%s' already", settings->name);
	if (r != -LB_ERR_NO_NETWORK)
		return r;
	r = link_get(ctx, settings->name, &link);
	if (r < 0)
		return r;
	if (link.index)
		return fail(ctx, -LB_ERR_NETWORK,
			    "there is %s %s on this host already, and layerbox did not make it; choose another name",
			    link.is_bridge ? "a bridge" : "an interface", settings->name);
	r = refuse_prefix(ctx, settings->name);
	return r < 0 ? r : refuse_overlap(ctx, settings);
}

/* The directory comes first, the file that makes it a network last; without it a directory means nothing. */
static int make(struct lb_context *ctx, const struct network_settings *settings)
{
	CLEANUP_FD int network_fd = store_open_directory(ctx, STORE_NETWORK);
	int r;

	if (network_fd < 0)
		return network_fd;
	if (mkdirat(network_fd, settings->name, 0755) < 0 && errno != EEXIST)
		return fail_errno(ctx, errno, "cannot make the directory of network %s", settings->name);
	r = fchmodat(network_fd, settings->name, 0755, 0) < 0 ? -errno : 0;
	if (r < 0)
		return fail_errno(ctx, r, "cannot make the directory of network %s", settings->name);
	return network_settings_save(ctx, settings);
}

static int apply(struct lb_context *ctx, struct network_settings *settings, const char *key, const char *value)
{
	const char *why = network_settings_set(settings, key, value);

	return why ? fail(ctx, -LB_ERR_BAD_VALUE, "network %s: %s = %s: %s", settings->name, key, value, why) : 0;
}

int lb_network_create(struct lb_context *ctx, const char *name, const struct lb_network_options *options)
{
	struct network_settings settings = { .antispoof = true, .dhcp = true };
	CLEANUP_FD int lock = -1;
	int r = CHECK_INPUT(ctx, options, lb_network_options);

	if (r == 0)
		r = network_check_name(ctx, name);
	if (r == 0)
		r = rights_require_root(ctx);
	if (r < 0)
		return r;
	text_copy(settings.name, sizeof settings.name, name);
	for (const char *const *pair = options ? options->settings : NULL; r == 0 && pair && *pair; pair += 2)
		r = apply(ctx, &settings, pair[0], pair[1]);
	if (r < 0)
		return r;
	lock = lock_root(ctx);
	r = lock < 0 ? lock : check_new(ctx, &settings);
	if (r == 0)
		r = make(ctx, &settings);
	if (r == 0)
		r = network_up_locked(ctx, name);
	if (r >= 0)
		r = guests_apply_others(ctx, name);
	return r < 0 ? r : 0;
}

static int refuse_users(struct lb_context *ctx, const char *name)
{
	CLEANUP_FREE struct record_identity *records = NULL;
	size_t count = 0, users = 0;
	const char *first = NULL;
	int r = record_list_identities(ctx, true, &records, &count);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (!text_equal(records[i].identity.network, name))
			continue;
		if (!users++)
			first = records[i].name;
	}
	if (!users)
		return 0;
	return fail(ctx, -LB_ERR_NETWORK, "%zu container%s on network %s (%s%s); delete %s first", users,
		    users == 1 ? " is" : "s are", name, first, users == 1 ? "" : ", ...", users == 1 ? "it" : "them");
}

int lb_network_delete(struct lb_context *ctx, const char *name)
{
	struct network_settings settings;
	CLEANUP_FD int network_fd = -1;
	CLEANUP_FD int lock = -1;
	int r = rights_require_root(ctx);

	if (r < 0)
		return r;
	lock = lock_root(ctx);
	r = lock < 0 ? lock : network_settings_load(ctx, name, &settings);
	if (r < 0)
		return r;
	if (settings.is_default)
		return fail(ctx, -LB_ERR_NETWORK,
			    "%s is the default network (`bridge =` in layerbox.conf); `layerbox net down %s` takes it "
			    "down",
			    name, name);
	r = refuse_users(ctx, name);
	if (r == 0)
		r = network_down_locked(ctx, name);
	network_fd = r < 0 ? -1 : store_open_directory(ctx, STORE_NETWORK);
	if (network_fd < 0)
		return r < 0 ? r : network_fd;
	r = tree_remove(network_fd, name);
	if (r < 0)
		return fail_errno(ctx, r, "cannot remove the directory of network %s", name);
	return guests_apply_others(ctx, name);
}

/* ---------------------------------------------------------------------------------------- set and get */

int lb_network_set(struct lb_context *ctx, const char *name, const char *key, const char *value)
{
	struct network_settings before, settings;
	struct ipv6_prefix prefix;
	CLEANUP_FD int lock = -1;
	struct link_state link;
	int r = rights_require_root(ctx);

	if (r < 0)
		return r;
	lock = lock_root(ctx);
	r = lock < 0 ? lock : network_settings_load(ctx, name, &before);
	if (r < 0)
		return r;
	settings = before;
	r = apply(ctx, &settings, key, value);
	if (r < 0)
		return r;
	if (memcmp(&before, &settings, sizeof settings) == 0)
		return 1;
	if (!text_equal(before.subnet, settings.subnet))
		return fail(ctx, -LB_ERR_BAD_VALUE,
			    settings.is_default ? "the default network's subnet is `subnet =` of layerbox.conf"
						: "a network keeps its subnet; make another one, and create containers "
						  "with --network");
	r = make(ctx, &settings);
	if (r == 0)
		r = link_get(ctx, settings.name, &link);
	if (r == 0 && link.index && !text_equal(before.ipv6, settings.ipv6) && !ipv6_prefix_parse(before.ipv6, &prefix))
		r = network_ipv6_down(ctx, settings.name, link.index, &prefix);
	if (r >= 0 && link.index)
		r = network_up_locked(ctx, settings.name);
	if (r >= 0 && link.index && before.isolated != settings.isolated)
		r = uplink_follow_network(ctx, settings.name);
	return r < 0 ? r : 0;
}

int lb_network_get(struct lb_context *ctx, const char *name, const char *key, char **ret_value)
{
	struct network_settings settings;
	int r = network_settings_load(ctx, name, &settings);
	char *value;

	if (r < 0)
		return r;
	value = network_settings_get(&settings, key);
	if (!value)
		return fail(ctx, -LB_ERR_BAD_VALUE, "\"%s\" is not a setting of a network", key);
	*ret_value = value;
	return 0;
}
