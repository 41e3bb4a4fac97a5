/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ports of the host that lead to containers. */
#include "command.h"
#include "output.h"

static const struct option listen_option[] = { { "listen", required_argument, NULL, 'l' }, { 0 } };

/* The container and the port of add and remove; EXIT_OK, or the exit code of what is wrong, which has been told. */
static int take_arguments(const struct command *command, struct lb_context *context, int argc, char **argv,
			  struct lb_forward *ret_forward)
{
	const char *listen = NULL;
	int option, r;

	while ((option = next_option(command, argc, argv, listen_option)) > 0)
		listen = optarg;
	if (option < 0)
		return EXIT_USAGE;
	if (argc - optind != 2)
		return usage_error(command, "give a container and a port such as 8883:1883/tcp");
	*ret_forward = (struct lb_forward){ .size = sizeof *ret_forward };
	r = lb_forward_parse(context, argv[optind + 1], ret_forward);
	if (r < 0)
		return report_failure(context, r);
	if (listen && *ret_forward->listen)
		return usage_error(command, "give the address once, with --listen or in front of the port");
	if (listen && strlen(listen) >= sizeof ret_forward->listen)
		return usage_error(command, "\"%s\" is not an address", listen);
	if (listen)
		strcpy(ret_forward->listen, listen);
	if (strlen(argv[optind]) >= sizeof ret_forward->container)
		return report_failure(context, lb_name_check(context, argv[optind]));
	strcpy(ret_forward->container, argv[optind]);
	return EXIT_OK;
}

static int run_add(struct lb_context *context, int argc, char **argv)
{
	struct lb_forward forward;
	int result = take_arguments(&command_forward_add, context, argc, argv, &forward), r;

	if (result != EXIT_OK)
		return result;
	r = lb_forward_add(context, &forward);
	if (r < 0)
		return report_failure(context, r);
	say(r == 0 ? "port %u of the host leads to port %u of %s" : "port %u of the host led to port %u of %s already",
	    forward.port, forward.target_port ? forward.target_port : forward.port, forward.container);
	return EXIT_OK;
}

static int run_remove(struct lb_context *context, int argc, char **argv)
{
	struct lb_forward forward;
	int result = take_arguments(&command_forward_remove, context, argc, argv, &forward), r;

	if (result != EXIT_OK)
		return result;
	r = lb_forward_remove(context, &forward);
	if (r < 0)
		return report_failure(context, r);
	say("port %u of the host leads to %s no more", forward.port, forward.container);
	return EXIT_OK;
}

static int run_list(struct lb_context *context, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "listen", "LISTEN", false },	     { "port", "PORT", true },
		{ "protocol", "PROTOCOL", false },   { "container", "CONTAINER", false },
		{ "target_port", "TARGET", true },   { 0 },
	};
	struct lb_forward **forwards = NULL;
	json_t *rows;
	int as_json = json_option(&command_forward_list, argc, argv), r;

	if (as_json < 0)
		return EXIT_USAGE;
	if (argc - optind > 1)
		return usage_error(&command_forward_list, "it takes one container, or none for all");
	r = lb_forward_list(context, argv[optind], &forwards, NULL);
	if (r < 0)
		return report_failure(context, r);
	rows = json_array();
	for (struct lb_forward **forward = forwards; *forward; forward++)
		json_array_append_new(rows,
				      json_pack("{s:s, s:s, s:i, s:s, s:i}", "container", (*forward)->container,
						"listen", (*forward)->listen, "port", (*forward)->port, "protocol",
						(*forward)->protocol == LB_PROTOCOL_UDP ? "udp" : "tcp", "target_port",
						(*forward)->target_port));
	show_rows(rows, columns, as_json);
	json_decref(rows);
	lb_forward_list_free(forwards);
	return EXIT_OK;
}

static const char port_help[] =
	"  PORT:TARGET[/PROTOCOL]   the host's port, the container's, and tcp (the default) or udp; one port alone is "
	"both\n"
	"  --listen ADDRESS         only this address of the host, IPv4 or IPv6; default: all but loopback\n";

const struct command command_forward_add = {
	.name = "forward add",
	.arguments = "NAME PORT[:TARGET][/PROTOCOL] [--listen ADDRESS]",
	.summary = "Lead a port of the host to a container",
	.help = port_help,
	.run = run_add,
};

const struct command command_forward_remove = {
	.name = "forward remove",
	.arguments = "NAME PORT[:TARGET][/PROTOCOL] [--listen ADDRESS]",
	.summary = "Take a port of the host back from a container",
	.help = port_help,
	.run = run_remove,
};

const struct command command_forward_list = {
	.name = "forward list",
	.arguments = "[NAME] [--json]",
	.summary = "List the ports of the host that lead to containers",
	.help = "  --json         an array of objects with container, listen, port, protocol and target_port\n",
	.run = run_list,
};
