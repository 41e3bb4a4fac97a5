/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* push and pull: files into and out of containers. */
#include "command.h"

typedef int (*copy_fn)(struct lb_container *container, const char *source, const char *destination);

static int run_copy(const struct command *command, copy_fn copy, struct lb_context *context, int argc, char **argv)
{
	static const struct option none[] = { { 0 } };
	struct lb_container *container;
	int result, r;

	if (next_option(command, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind != 3)
		return usage_error(command, "give a container, what to copy, and where to");
	container = open_container(context, argv[optind], &result);
	if (!container)
		return result;
	r = copy(container, argv[optind + 1], argv[optind + 2]);
	result = r < 0 ? report_failure(context, r) : EXIT_OK;
	lb_container_free(container);
	return result;
}

static int run_push(struct lb_context *context, int argc, char **argv)
{
	return run_copy(&command_push, lb_container_push, context, argc, argv);
}

static int run_pull(struct lb_context *context, int argc, char **argv)
{
	return run_copy(&command_pull, lb_container_pull, context, argc, argv);
}

const struct command command_push = {
	.name = "push",
	.arguments = "NAME SOURCE DESTINATION",
	.summary = "Copy a file or directory of the host into a container",
	.help = "  SOURCE         a path on the host\n"
		"  DESTINATION    an absolute path in the container; a directory, or a slash at its end, means into "
		"it\n\n"
		"What arrives belongs to root of the container. It may run or not.\n",
	.run = run_push,
};

const struct command command_pull = {
	.name = "pull",
	.arguments = "NAME SOURCE DESTINATION",
	.summary = "Copy a file or directory out of a container",
	.help = "  SOURCE         an absolute path in the container\n"
		"  DESTINATION    a path on the host; a directory, or a slash at its end, means into it\n",
	.run = run_pull,
};
