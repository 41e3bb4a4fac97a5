/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

static int run(struct lb_context *context, int argc, char **argv)
{
	static const struct option long_options[] = { { "snapshot", required_argument, NULL, 'n' },
						      { "start", no_argument, NULL, 's' },
						      { 0 } };
	struct lb_container *container = NULL;
	const char *snapshot = NULL;
	bool start = false;
	int option, r;

	while ((option = next_option(&command_clone, argc, argv, long_options)) > 0) {
		if (option == 'n')
			snapshot = optarg;
		else
			start = true;
	}
	if (option < 0)
		return EXIT_USAGE;
	if (argc - optind != 2)
		return usage_error(&command_clone, "give a container and the name of the new one");
	r = lb_container_clone(context, argv[optind], snapshot, argv[optind + 1], &container);
	if (r < 0)
		return report_failure(context, r);
	say("cloned %s to %s: %s, base %s@%u", argv[optind], argv[optind + 1], lb_container_get_ipv4(container),
	    lb_container_get_base(container), lb_container_get_generation(container));
	if (start) {
		r = lb_container_start(container, NULL);
		if (r == 0)
			say("started %s", argv[optind + 1]);
	}
	lb_container_free(container);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

const struct command command_clone = {
	.name = "clone",
	.arguments = "NAME NEW [--snapshot LABEL] [--start]",
	.summary = "Make a container that begins with the files of another",
	.help = "It shares the other's layers, and has an address, ids, a machine-id, SSH host keys and a name of its "
		"own.\n"
		"  --snapshot LABEL   as the other was then (default: as it is now)\n"
		"  --start            start it at once\n",
	.run = run,
};
