/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

static int run(struct lb_context *context, int argc, char **argv)
{
	static const struct option none[] = { { 0 } };
	struct lb_container *container;
	int result, r;

	if (next_option(&command_rename, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind != 2)
		return usage_error(&command_rename, "give the old and the new name");
	container = open_container(context, argv[optind], &result);
	if (!container)
		return result;
	r = lb_container_rename(container, argv[optind + 1]);
	result = r < 0 ? report_failure(context, r) : EXIT_OK;
	if (r == 0)
		say("renamed %s to %s", argv[optind], argv[optind + 1]);
	lb_container_free(container);
	return result;
}

const struct command command_rename = {
	.name = "rename",
	.arguments = "OLD NEW",
	.summary = "Give a stopped container another name, also inside it",
	.help = "  Its address, ids and files stay.\n",
	.run = run,
};
