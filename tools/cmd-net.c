/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"
#include "output.h"

static const struct option none[] = { { 0 } };

static const char *manager_name(enum lb_network_manager manager)
{
	static const char *const names[] = { "layerbox", "lxc-net", "foreign", "nobody" };

	return (unsigned)manager < sizeof names / sizeof *names ? names[manager] : "unknown";
}

/* up and down: all networks, or the one that is named. */
static int run_plain(const struct command *command, int (*work)(struct lb_context *, const char *), const char *done,
		     const char *already, struct lb_context *context, int argc, char **argv)
{
	int r;

	if (next_option(command, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind > 1)
		return usage_error(command, "it takes one network, or none for all");
	r = work(context, argv[optind]);
	if (r < 0)
		return report_failure(context, r);
	say("%s", r == 0 ? done : already);
	return EXIT_OK;
}

static int run_up(struct lb_context *context, int argc, char **argv)
{
	return run_plain(&command_net_up, lb_network_up, "the network is up", "the network was up already", context,
			 argc, argv);
}

static int run_down(struct lb_context *context, int argc, char **argv)
{
	return run_plain(&command_net_down, lb_network_down, "the network is down", "the network was down already",
			 context, argc, argv);
}

static json_t *to_json(const struct lb_network_status *status)
{
	json_t *object = json_pack("{s:s, s:s, s:b, s:s, s:b, s:s, s:i, s:b, s:b, s:b}", "bridge", status->bridge,
				   "manager", manager_name(status->manager), "default", status->is_default, "address",
				   status->address, "up", status->up, "ipv6", status->ipv6, "mtu", (int)status->mtu,
				   "isolated", status->isolated, "antispoof", status->antispoof, "dhcp", status->dhcp);
	json_t *more =
		json_pack("{s:o, s:b, s:b, s:b, s:i, s:i, s:i, s:s, s:s}", "dnsmasq_pid",
			  status->dnsmasq_pid ? json_integer(status->dnsmasq_pid) : json_null(), "reservations_read",
			  status->reservations_read, "firewall", status->firewall, "nat", status->nat, "ports",
			  (int)status->ports, "pool_size", (int)status->pool_size, "pool_used", (int)status->pool_used,
			  "problem", status->problem, "warning", status->warning);

	json_object_update(object, more);
	json_decref(more);
	return object;
}

static int run_status(struct lb_context *context, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "bridge", "Bridge:", false },	       { "manager", "Run by:", false },
		{ "up", "Up:", false },		       { "address", "Address:", false },
		{ "ipv6", "IPv6:", false },	       { "dnsmasq_pid", "dnsmasq PID:", false },
		{ "reservations_read", "Reservations:", false }, { "firewall", "Firewall:", false },
		{ "nat", "NAT:", false },
		{ "isolated", "Isolated:", false },    { "antispoof", "Anti-spoofing:", false },
		{ "ports", "Ports:", false },	       { "pool_size", "Pool size:", false },
		{ "pool_used", "Pool used:", false },  { "warning", "Warning:", false },
		{ "problem", "Problem:", false },      { 0 },
	};
	struct lb_network_status status = { .size = sizeof status };
	json_t *object;
	int as_json = json_option(&command_net_status, argc, argv), r;

	if (as_json < 0)
		return EXIT_USAGE;
	if (argc - optind > 1)
		return usage_error(&command_net_status, "it takes one network, or none for the default one");
	r = lb_network_get_status(context, argv[optind], &status);
	if (r < 0)
		return report_failure(context, r);
	object = to_json(&status);
	show_object(object, columns, as_json);
	json_decref(object);
	return *status.problem ? exit_code(-LB_ERR_NETWORK) : EXIT_OK;
}

static int run_list(struct lb_context *context, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "bridge", "NAME", false },   { "address", "ADDRESS", false },	  { "ipv6", "IPV6", false },
		{ "up", "UP", false },	       { "manager", "RUN BY", false },	  { "ports", "PORTS", true },
		{ "pool_used", "USED", true }, { "pool_size", "POOL", true },	  { "isolated", "ISOLATED", false },
		{ "warning", "WARNING", false }, { "problem", "PROBLEM", false }, { 0 },
	};
	char **names = NULL;
	json_t *rows;
	int as_json = json_option(&command_net_list, argc, argv), r;

	if (as_json < 0)
		return EXIT_USAGE;
	rows = json_array();
	r = lb_network_list(context, &names);
	for (char **name = names; r == 0 && name && *name; name++) {
		struct lb_network_status status = { .size = sizeof status };

		r = lb_network_get_status(context, *name, &status);
		if (r == 0)
			json_array_append_new(rows, to_json(&status));
	}
	lb_network_list_free(names);
	if (r == 0)
		show_rows(rows, columns, as_json);
	json_decref(rows);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

const struct command command_net_up = {
	.name = "net up",
	.arguments = "[NETWORK]",
	.summary = "Make sure that bridges, DHCP servers and rules are there",
	.help = "Where Debian's lxc-net runs the bridge, it stays in charge: layerbox only sees to it that its "
		"dnsmasq\n"
		"reads the reservations. Safe to repeat.\n",
	.run = run_up,
};

const struct command command_net_down = {
	.name = "net down",
	.arguments = "[NETWORK]",
	.summary = "Take layerbox's own networks away; refused while containers run on them",
	.run = run_down,
};

const struct command command_net_status = {
	.name = "net status",
	.arguments = "[NETWORK] [--json]",
	.summary = "Show who runs the network and what is wrong with it, if anything",
	.help = "The exit code says whether all is well.\n",
	.run = run_status,
};

const struct command command_net_list = {
	.name = "net list",
	.arguments = "[--json]",
	.summary = "List the networks, the default one first",
	.help = "  --json         an array of the objects that `net status --json` shows\n",
	.run = run_list,
};
