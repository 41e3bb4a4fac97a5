/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Leases: who has which address. */
#include "command.h"
#include "output.h"

static const struct option none[] = { { 0 } };

/* For people: a time, or a word where there is none. */
static json_t *expiry_text(const struct lb_lease *lease)
{
	if (lease->state == LB_LEASE_RESERVED)
		return json_string("-");
	return lease->expiry ? json_time(lease->expiry) : json_string("never");
}

static json_t *lease_to_json(const struct lb_lease *lease)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "container", lease->container, "network",
			 lease->network, "ipv4", lease->ipv4, "ipv6", lease->ipv6, "mac", lease->mac, "name",
			 lease->name, "expiry", (json_int_t)lease->expiry, "state", lb_lease_state_name(lease->state),
			 "problem", lease->problem);
}

/* As a row of the table: whose it is, if anyone's here, else what the holder calls itself. */
static json_t *lease_to_row(const struct lb_lease *lease)
{
	json_t *row = lease_to_json(lease);

	json_object_set_new(row, "who", json_string(*lease->container ? lease->container : lease->name));
	json_object_set_new(row, "expires", expiry_text(lease));
	return row;
}

static int run_list(struct lb_context *context, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "who", "NAME", false },	 { "network", "NETWORK", false }, { "ipv4", "IPV4", false },
		{ "ipv6", "IPV6", false },	 { "mac", "MAC", false },	  { "expires", "EXPIRES", false },
		{ "state", "STATE", false },	 { "problem", "PROBLEM", false }, { 0 },
	};
	struct lb_lease **leases = NULL;
	json_t *rows;
	int as_json = json_option(&command_lease_list, argc, argv), r;

	if (as_json < 0)
		return EXIT_USAGE;
	if (argc - optind > 1)
		return usage_error(&command_lease_list, "it takes one network, or none for all");
	r = lb_lease_list(context, argv[optind], &leases, NULL);
	if (r < 0)
		return report_failure(context, r);
	rows = json_array();
	for (struct lb_lease **lease = leases; *lease; lease++)
		json_array_append_new(rows, as_json ? lease_to_json(*lease) : lease_to_row(*lease));
	show_rows(rows, columns, as_json);
	json_decref(rows);
	lb_lease_list_free(leases);
	return EXIT_OK;
}

static int run_reserve(struct lb_context *context, int argc, char **argv)
{
	int r;

	if (next_option(&command_lease_reserve, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind != 2)
		return usage_error(&command_lease_reserve, "give a container and an address");
	r = lb_lease_reserve(context, argv[optind], argv[optind + 1]);
	if (r < 0)
		return report_failure(context, r);
	say(r == 0 ? "%s is reserved for %s now" : "%s was reserved for %s already", argv[optind + 1], argv[optind]);
	return EXIT_OK;
}

static int run_release(struct lb_context *context, int argc, char **argv)
{
	int r;

	if (next_option(&command_lease_release, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind != 1)
		return usage_error(&command_lease_release, "give a container, an address or a MAC");
	r = lb_lease_release(context, argv[optind]);
	if (r < 0)
		return report_failure(context, r);
	say(r == 0 ? "the lease of %s is given back" : "there is no lease of %s", argv[optind]);
	return EXIT_OK;
}

/* ------------------------------------------------------------------------------------------- the pool */

static void warn_of_shortage(const struct lb_lease_pool *pool)
{
	unsigned taken = pool->addresses - pool->free;

	if (taken * 5 >= pool->addresses * 4)
		fprintf(stderr,
			"layerbox: warning: %u of %u addresses of %s are taken; delete containers, or make another "
			"network with "
			"`layerbox net create`\n",
			taken, pool->addresses, pool->network);
}

static int add_pool(struct lb_context *context, const char *network, json_t *rows)
{
	struct lb_lease_pool pool = { .size = sizeof pool };
	int r = lb_lease_get_pool(context, network, &pool);

	if (r < 0)
		return r;
	json_array_append_new(rows, json_pack("{s:s, s:i, s:i, s:i, s:i, s:i}", "network", pool.network, "size",
					      (int)pool.addresses, "used", (int)pool.used, "foreign", (int)pool.foreign,
					      "quarantined", (int)pool.quarantined, "free", (int)pool.free));
	warn_of_shortage(&pool);
	return 0;
}

static int add_pools(struct lb_context *context, json_t *rows)
{
	char **names = NULL;
	int r = lb_network_list(context, &names);

	for (char **name = names; r == 0 && *name; name++)
		r = add_pool(context, *name, rows);
	lb_network_list_free(names);
	return r;
}

static int run_pool(struct lb_context *context, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "network", "NETWORK", false }, { "size", "ADDRESSES", true },		{ "used", "USED", true },
		{ "foreign", "FOREIGN", true },	 { "quarantined", "QUARANTINED", true }, { "free", "FREE", true },
		{ 0 },
	};
	json_t *rows;
	int as_json = json_option(&command_lease_pool, argc, argv), r;

	if (as_json < 0)
		return EXIT_USAGE;
	if (argc - optind > 1)
		return usage_error(&command_lease_pool, "it takes one network, or none for all");
	rows = json_array();
	r = argv[optind] ? add_pool(context, argv[optind], rows) : add_pools(context, rows);
	if (r == 0)
		show_rows(rows, columns, as_json);
	json_decref(rows);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

const struct command command_lease_list = {
	.name = "lease list",
	.arguments = "[NETWORK] [--json]",
	.summary = "Show who has which address",
	.help = "States: reserved (a container's, not asked for), active, foreign (leased to no container), "
		"conflict.\n",
	.run = run_list,
};

const struct command command_lease_reserve = {
	.name = "lease reserve",
	.arguments = "NAME IPV4",
	.summary = "Give a stopped container another address",
	.help = "  Files in it that hold the old address follow, where they are as layerbox made them.\n",
	.run = run_reserve,
};

const struct command command_lease_release = {
	.name = "lease release",
	.arguments = "NAME|IPV4|MAC",
	.summary = "Have the DHCP server forget a lease; reservations stay",
	.run = run_release,
};

const struct command command_lease_pool = {
	.name = "lease pool",
	.arguments = "[NETWORK] [--json]",
	.summary = "Count a network's addresses; warns when few are left",
	.run = run_pool,
};
