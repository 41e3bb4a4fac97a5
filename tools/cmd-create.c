/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

static int create_one(struct lb_context *context, const char *name, const struct lb_create_options *options, bool start)
{
	struct lb_container *container = NULL;
	int r = lb_container_create(context, name, options, &container);

	if (r < 0)
		return report_failure(context, r);
	say("created %s: %s, base %s@%u%s", name, lb_container_get_ipv4(container), lb_container_get_base(container),
	    lb_container_get_generation(container), lb_container_get_privileged(container) ? ", privileged" : "");
	if (start) {
		r = lb_container_start(container, NULL);
		if (r == 0)
			say("started %s", name);
	}
	lb_container_free(container);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

static int run(struct lb_context *context, int argc, char **argv)
{
	enum { BASE = 'b', PRIVILEGED = 'p', START = 's', DESCRIPTION = 'd', NETWORK = 'n', STATIC = 'f' };
	static const struct option long_options[] = {
		{ "base", required_argument, NULL, BASE },   { "privileged", no_argument, NULL, PRIVILEGED },
		{ "start", no_argument, NULL, START },	     { "description", required_argument, NULL, DESCRIPTION },
		{ "network", required_argument, NULL, NETWORK }, { "static", no_argument, NULL, STATIC },
		{ 0 },
	};
	struct lb_create_options options = { .size = sizeof options };
	int option, result = EXIT_OK;
	bool start = false;

	while ((option = next_option(&command_create, argc, argv, long_options)) > 0) {
		switch (option) {
		case BASE:
			options.base = optarg;
			break;
		case PRIVILEGED:
			options.privileged = true;
			break;
		case NETWORK:
			options.network = optarg;
			break;
		case STATIC:
			options.is_static = true;
			break;
		case START:
			start = true;
			break;
		default:
			options.description = optarg;
		}
	}
	if (option < 0)
		return EXIT_USAGE;
	if (optind == argc)
		return usage_error(&command_create, "give the new container a name");
	for (; optind < argc; optind++) {
		int r = create_one(context, argv[optind], &options, start);

		if (result == EXIT_OK)
			result = r;
	}
	return result;
}

const struct command command_create = {
	.name = "create",
	.arguments = "NAME... [--base BASE[@GENERATION]] [--network NETWORK] [--privileged] [--static] [--description "
		     "TEXT] [--start]",
	.summary = "Make containers, each with an address and a top layer of its own",
	.help = "  NAME                 1 to 63 lower-case letters, digits and inner dashes\n"
		"  --base BASE          the base it stands on (default: `base` of layerbox.conf, debian-bookworm)\n"
		"  --network NETWORK    the network it is on (default: `bridge` of layerbox.conf, lxcbr0)\n"
		"  --privileged         without ids of its own: only for users who may be trusted with the host\n"
		"  --static             its address stands in its files; it asks no DHCP server\n"
		"  --description TEXT   a line for `layerbox info`\n"
		"  --start              start it at once\n",
	.run = run,
};
