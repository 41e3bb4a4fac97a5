/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks made, deleted and changed. */
#include "command.h"

enum { PAIRS_MAX = 32 };

static const struct option none[] = { { 0 } };

static int run_create(struct lb_context *context, int argc, char **argv)
{
	static const struct option options[] = { { "subnet", required_argument, NULL, 's' },
						 { "ipv6", required_argument, NULL, '6' },
						 { "isolated", no_argument, NULL, 'i' },
						 { 0 } };
	const char *pairs[2 * PAIRS_MAX + 1] = { NULL };
	struct lb_network_options network = { .size = sizeof network, .settings = pairs };
	const char *name;
	int count = 0, option, r;

	while ((option = next_option(&command_net_create, argc, argv, options)) > 0 && count < PAIRS_MAX) {
		pairs[2 * count] = option == 's' ? "subnet" : option == '6' ? "ipv6" : "isolated";
		pairs[2 * count++ + 1] = option == 'i' ? "yes" : optarg;
	}
	if (option < 0)
		return EXIT_USAGE;
	if (optind == argc)
		return usage_error(&command_net_create, "give the new network a name");
	name = argv[optind++];
	for (; optind < argc && count < PAIRS_MAX; optind++, count++) {
		pairs[2 * count + 1] = cut_assignment(&command_net_create, argv[optind]);
		pairs[2 * count] = argv[optind];
		if (!pairs[2 * count + 1])
			return EXIT_USAGE;
	}
	r = lb_network_create(context, name, &network);
	if (r < 0)
		return report_failure(context, r);
	say("created network %s; `layerbox create NAME --network %s` puts a container on it", name, name);
	return EXIT_OK;
}

static int run_delete(struct lb_context *context, int argc, char **argv)
{
	int result = EXIT_OK;

	if (next_option(&command_net_delete, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (optind == argc)
		return usage_error(&command_net_delete, "give the network's name");
	for (; optind < argc; optind++) {
		int r = lb_network_delete(context, argv[optind]);

		if (r < 0 && result == EXIT_OK)
			result = report_failure(context, r);
		else if (r < 0)
			report_failure(context, r);
	}
	return result;
}

static int run_set(struct lb_context *context, int argc, char **argv)
{
	const char *name;

	if (next_option(&command_net_set, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind < 2)
		return usage_error(&command_net_set, "give a network and at least one KEY=VALUE");
	name = argv[optind++];
	for (; optind < argc; optind++) {
		const char *value = cut_assignment(&command_net_set, argv[optind]);
		int r;

		if (!value)
			return EXIT_USAGE;
		r = lb_network_set(context, name, argv[optind], value);
		if (r < 0)
			return report_failure(context, r);
	}
	return EXIT_OK;
}

static int print_one(struct lb_context *context, const char *name, const char *key, bool with_key)
{
	char *value = NULL;
	int r = lb_network_get(context, name, key, &value);

	return print_setting(context, r, key, value, with_key);
}

static int run_get(struct lb_context *context, int argc, char **argv)
{
	int result = EXIT_OK;
	const char *key;

	if (next_option(&command_net_get, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind < 1 || argc - optind > 2)
		return usage_error(&command_net_get, "give a network, and a key or none for all");
	if (argc - optind == 2)
		return print_one(context, argv[optind], argv[optind + 1], false);
	for (size_t i = 0; result == EXIT_OK && (key = lb_network_key(i)); i++)
		result = print_one(context, argv[optind], key, true);
	return result;
}

static const char keys_help[] =
	"Keys:\n"
	"  subnet=CIDR        IPv4, from /16 to /29; only when it is created\n"
	"  ipv6=PREFIX|auto   a /64 such as fd42:1:2:3::/64; auto chooses one; empty: no IPv6\n"
	"  mtu=BYTES          empty: the kernel's own\n"
	"  isolated=yes|no    whether its containers are kept from reaching one another (default: no)\n"
	"  antispoof=yes|no   whether a container may send only from its own addresses (default: yes)\n"
	"  dhcp=yes|no        no: addresses are written into new containers (default: yes)\n";

const struct command command_net_create = {
	.name = "net create",
	.arguments = "NETWORK --subnet CIDR [--ipv6 PREFIX|auto] [--isolated] [KEY=VALUE...]",
	.summary = "Make another network: a bridge with addresses of its own",
	.help = keys_help,
	.run = run_create,
};

const struct command command_net_delete = {
	.name = "net delete",
	.arguments = "NETWORK...",
	.summary = "Delete networks; refused while there are containers on them",
	.run = run_delete,
};

const struct command command_net_set = {
	.name = "net set",
	.arguments = "NETWORK KEY=VALUE...",
	.summary = "Change a network's settings",
	.help = keys_help,
	.run = run_set,
};

const struct command command_net_get = {
	.name = "net get",
	.arguments = "NETWORK [KEY]",
	.summary = "Show a network's settings",
	.help = keys_help,
	.run = run_get,
};
