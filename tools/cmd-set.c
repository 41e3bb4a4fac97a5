/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

static const struct option none[] = { { 0 } };

static int set_one(struct lb_context *context, struct lb_container *container, char *assignment)
{
	const char *value = cut_assignment(&command_set, assignment);
	int r;

	if (!value)
		return EXIT_USAGE;
	r = lb_container_set(container, assignment, value);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

static int run_set(struct lb_context *context, int argc, char **argv)
{
	struct lb_container *container;
	int result;

	if (next_option(&command_set, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind < 2)
		return usage_error(&command_set, "give a container and at least one KEY=VALUE");
	container = open_container(context, argv[optind], &result);
	if (!container)
		return result;
	result = EXIT_OK;
	for (int i = optind + 1; result == EXIT_OK && i < argc; i++)
		result = set_one(context, container, argv[i]);
	lb_container_free(container);
	return result;
}

static int print_one(struct lb_context *context, struct lb_container *container, const char *key, bool with_key)
{
	char *value = NULL;
	int r = lb_container_get(container, key, &value);

	return print_setting(context, r, key, value, with_key);
}

static int run_get(struct lb_context *context, int argc, char **argv)
{
	struct lb_container *container;
	const char *key;
	int result;

	if (next_option(&command_get, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind < 1 || argc - optind > 2)
		return usage_error(&command_get, "give a container, and a key or none for all");
	container = open_container(context, argv[optind], &result);
	if (!container)
		return result;
	result = EXIT_OK;
	if (argc - optind == 2)
		result = print_one(context, container, argv[optind + 1], false);
	else
		for (size_t i = 0; result == EXIT_OK && (key = lb_container_setting(container, i)); i++)
			result = print_one(context, container, key, true);
	lb_container_free(container);
	return result;
}

static const char keys_help[] =
	"Keys:\n"
	"  description=TEXT   one line\n"
	"  autostart=yes|no   whether it is to start with the host\n"
	"  memory=SIZE        512M, 2G ...; powers of 1024\n"
	"  cpus=N             cores, as in 0.5 or 2\n"
	"  pids=N             processes and threads\n"
	"  net.rules=RULES    allow CIDR, deny CIDR, ...: where its connections may go to\n"
	"  isolated=yes|no    whether it is kept from other containers; empty: as its network is\n"
	"  net.ingress=RATE   to the container, per second: 512kbit, 100Mbit, 1Gbit; powers of 1000\n"
	"  net.egress=RATE    from the container\n"
	"  health.command=CMD a command inside that ends with 0 when the container is well\n"
	"  mount.NAME=SRC:DST[:ro]  a directory or file of the host, and where the container sees it\n"
	"  snapshot.schedule=WHEN  hourly, daily, Mon..Fri 22:30 ..., none; empty: the host's\n"
	"  snapshot.keep=WHAT 24h,7d,4w,12m ..., none (all are kept); empty: the host's\n"
	"  backup.pre=CMD     a command inside before the snapshot for a backup\n"
	"  backup.post=CMD    and one behind it\n"
	"An empty value takes a limit away. A running container follows at once.\n";

const struct command command_set = {
	.name = "set",
	.arguments = "NAME KEY=VALUE...",
	.summary = "Change a container's settings and limits",
	.help = keys_help,
	.run = run_set,
};

const struct command command_get = {
	.name = "get",
	.arguments = "NAME [KEY]",
	.summary = "Show a container's settings",
	.help = keys_help,
	.run = run_get,
};
