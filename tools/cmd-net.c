/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"
#include "output.h"

static const struct option none[] = { { 0 } };

static const char *manager_name(enum lb_network_manager manager)
{
	static const char *const names[] = { "layerbox", "lxc-net", "foreign", "nobody" };

	return (unsigned)manager < sizeof names / sizeof *names ? names[manager] : "unknown";
}

static int run_plain(const struct command *command, int (*work)(struct lb_context *), const char *done,
		     const char *already, struct lb_context *context, int argc, char **argv)
{
	int r;

	if (next_option(command, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (optind != argc)
		return usage_error(command, "it takes no arguments");
	r = work(context);
	if (r < 0)
		return report_failure(context, r);
	say("%s", r == 0 ? done : already);
	return EXIT_OK;
}

static int run_up(struct lb_context *context, int argc, char **argv)
{
	return run_plain(&command_net_up, lb_network_up, "the network is up", "the network was up already", context, argc,
			 argv);
}

static int run_down(struct lb_context *context, int argc, char **argv)
{
	return run_plain(&command_net_down, lb_network_down, "the network is down", "the network was down already", context,
			 argc, argv);
}

static int run_status(struct lb_context *context, int argc, char **argv)
{
	static const struct option json_option[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	static const struct column columns[] = {
		{ "bridge", "Bridge:", false },	       { "manager", "Run by:", false },
		{ "up", "Up:", false },		       { "address", "Address:", false },
		{ "dnsmasq_pid", "dnsmasq PID:", false }, { "reservations_read", "Reservations:", false },
		{ "nat", "NAT:", false },	       { "ports", "Ports:", false },
		{ "pool_size", "Pool size:", false },  { "pool_used", "Pool used:", false },
		{ "problem", "Problem:", false },      { 0 },
	};
	struct lb_network_status status = { .size = sizeof status };
	bool as_json = false;
	json_t *object;
	int option, r;

	while ((option = next_option(&command_net_status, argc, argv, json_option)) > 0)
		as_json = true;
	if (option < 0)
		return EXIT_USAGE;
	r = lb_network_get_status(context, &status);
	if (r < 0)
		return report_failure(context, r);
	object = json_pack("{s:s, s:s, s:s, s:b, s:n, s:b, s:b, s:i, s:i, s:i, s:s}", "bridge", status.bridge, "manager",
			   manager_name(status.manager), "address", status.address, "up", status.up, "dnsmasq_pid",
			   "reservations_read", status.reservations_read, "nat", status.nat, "ports", (int)status.ports,
			   "pool_size", (int)status.pool_size, "pool_used", (int)status.pool_used, "problem",
			   status.problem);
	if (status.dnsmasq_pid)
		json_object_set_new(object, "dnsmasq_pid", json_integer(status.dnsmasq_pid));
	if (as_json)
		print_json(object);
	else
		print_fields(object, columns);
	json_decref(object);
	return *status.problem ? exit_code(-LB_ERR_NETWORK) : EXIT_OK;
}

const struct command command_net_up = {
	.name = "net up",
	.arguments = "",
	.summary = "Make sure that bridge, DHCP server and NAT are there",
	.help = "Where Debian's lxc-net runs the bridge, it stays in charge: layerbox only sees to it that its dnsmasq\n"
		"reads the reservations. Safe to repeat.\n",
	.run = run_up,
};

const struct command command_net_down = {
	.name = "net down",
	.arguments = "",
	.summary = "Take layerbox's own network away; refused while containers are on it",
	.run = run_down,
};

const struct command command_net_status = {
	.name = "net status",
	.arguments = "[--json]",
	.summary = "Show who runs the network and what is wrong with it, if anything",
	.help = "The exit code says whether all is well.\n",
	.run = run_status,
};
