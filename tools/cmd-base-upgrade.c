/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

/* What the operator would do next. */
static void tell_followers(struct lb_context *context, const char *base)
{
	size_t length = strlen(base);
	struct lb_base **bases;

	if (lb_base_list(context, &bases, NULL) < 0)
		return;
	for (struct lb_base **other = bases; *other; other++) {
		const char *parent = lb_base_get_parent(*other);

		if (strncmp(parent, base, length) == 0 && parent[length] == '@')
			say("%s is a stack on it: `layerbox base upgrade %s` brings it along", lb_base_get_name(*other),
			    lb_base_get_name(*other));
		if (strcmp(lb_base_get_name(*other), base) == 0 && *lb_base_get_users(*other))
			say("containers follow with `layerbox rebase --all`; --dry-run shows what that means for them");
	}
	lb_base_list_free(bases);
}

static int run_upgrade(struct lb_context *context, int argc, char **argv)
{
	static const struct option long_options[] = { { "script", required_argument, NULL, 's' }, { 0 } };
	struct lb_upgrade_options options = { .size = sizeof options };
	const char *base;
	unsigned generation;
	int option, r;

	while ((option = next_option(&command_base_upgrade, argc, argv, long_options)) > 0)
		options.script = optarg;
	if (option < 0)
		return EXIT_USAGE;
	if (optind == argc)
		return usage_error(&command_base_upgrade, "give the name of a base");
	base = argv[optind];
	if (argc - optind > 1 && strcmp(argv[optind - 1], "--") != 0)
		return usage_error(&command_base_upgrade, "give one base; a command comes behind --");
	if (argc - optind > 1 && options.script)
		return usage_error(&command_base_upgrade, "give either a script or a command");
	if (argc - optind > 1)
		options.command = (const char *const *)(void *)(argv + optind + 1);
	r = lb_base_upgrade(context, base, &options, &generation);
	if (r < 0)
		return report_failure(context, r);
	if (r == 1) {
		say("base %s is as it was: generation %u", base, generation);
		return EXIT_OK;
	}
	say("upgraded base %s: generation %u", base, generation);
	tell_followers(context, base);
	return EXIT_OK;
}

const struct command command_base_upgrade = {
	.name = "base upgrade",
	.arguments = "BASE [--script FILE] [-- PROGRAM [ARGUMENT...]]",
	.summary = "Make the next generation of a base, by apt-get, a script or a program",
	.help = "  --script FILE  run this script in the new generation instead of apt-get\n"
		"  PROGRAM        run this one\n"
		"\n"
		"  Containers stay on their generation; new ones get the new one. A stack whose parent has a newer\n"
		"  generation is built anew on that one.\n",
	.run = run_upgrade,
};
